#pragma once

#include <cstdint>
#include <string>

namespace oombox {

// Kills whose victim was in this very memory cgroup. The path is below the mount point of the
// memory controller, "/" for the root, in the kernel's raw bytes.
struct CgroupKills {
  std::string path;
  uint64_t kills = 0;

  bool operator==(const CgroupKills&) const = default;
};

}  // namespace oombox
