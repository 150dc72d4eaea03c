#pragma once

#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// Where this process stands in the memory controller's hierarchy and where that is mounted.
struct Hierarchy {
  int version = 0;          // 1 or 2
  std::string mount_point;  // e.g. /sys/fs/cgroup/memory
  std::string mount_root;   // the hierarchy's path that is mounted there; "/" normally
  std::string own_path;     // path of this process's cgroup in the hierarchy

  // Directory of a cgroup given by its path in the hierarchy. kInvalid when the mount does not
  // show that part of the hierarchy.
  Result<std::string> DirectoryOf(std::string_view path) const;
};

// Pure: from the text of /proc/self/cgroup and /proc/self/mountinfo. A v1 memory controller wins
// over a v2 mount beside it, because a controller lives in one hierarchy only.
Result<Hierarchy> FindHierarchy(std::string_view proc_cgroup, std::string_view mountinfo);

// The same for the running process.
Result<Hierarchy> FindOwnHierarchy();

}  // namespace oombox
