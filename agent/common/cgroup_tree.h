#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// Where the memory controller is mounted.
struct MemoryHierarchy {
  std::string root;
  bool v2 = false;
};

// v2 at `mount` itself, v1 at <mount>/memory, or v2 at <mount>/unified (hybrid); kNotFound when
// none has the memory controller.
Result<MemoryHierarchy> FindMemoryHierarchy(const std::string& mount = "/sys/fs/cgroup");

// The contents of a cgroup's file, at most 16 KiB of it: memory.stat has about 2. Nothing when it
// is gone, or not readable.
std::optional<std::string> ReadSmallFile(int dir, const char* name);

// The number of a line "key 3" (memory.stat, memory.events and the like).
std::optional<uint64_t> ValueOf(std::string_view text, std::string_view key);

// Nothing is known of what could not be opened: the process or the machine lacks the means.
bool LacksMeans(int error);

struct CgroupWalk {
  size_t visited = 0;
  // There are more cgroups than were looked at, or the process had no means to look (EMFILE).
  bool cut = false;
};

// Visits the cgroups below `root`, those near it first, at most `max_cgroups`. `visit` gets the
// path below the root ("" for itself) and the open directory; what is below is visited when it says
// so. A cgroup that vanishes is left out.
CgroupWalk WalkCgroups(const std::string& root, size_t max_cgroups,
                       const std::function<bool(const std::string& path, int dir)>& visit);

}  // namespace oombox
