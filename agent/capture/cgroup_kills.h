#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/common/cgroup_tree.h"
#include "agent/common/result.h"
#include "agent/model/cgroup_kills.h"

namespace oombox {

// Kills of each cgroup that counted any, by path (as CgroupKills::path).
using CgroupKillMap = std::map<std::string, uint64_t>;

struct CgroupKillCounts {
  CgroupKillMap kills;
  size_t visited = 0;
  bool cut = false;  // there are more cgroups than were looked at
};

// How often the OOM killer killed a process of each cgroup, by the cgroup's own counter: v2
// memory.events.local (memory.events before Linux 5.2, which counts the cgroups below, too), v1
// memory.oom_control. A cgroup that vanishes is left out; its count is gone with it. About
// 20 µs of CPU a cgroup. At most `max_cgroups`, those near the root first.
CgroupKillCounts ReadCgroupKills(const MemoryHierarchy& hierarchy, size_t max_cgroups = 5000);

// What was counted between two looks, the biggest first. A smaller count is of a new cgroup with an
// old name: all of it is new. Pure.
std::vector<CgroupKills> GrownSince(const CgroupKillMap& before, const CgroupKillMap& now);

// The counts of one boot in a small text file, so that the next run can compare.
struct SavedCgroupKills {
  std::string boot_id;
  CgroupKillMap kills;
};
// kNotFound when there is no such file, kCorrupt when it is damaged.
Result<SavedCgroupKills> LoadCgroupKills(const std::string& path);
// Replaces the file in one step. Not synced: a power cut ends the boot whose counts they are.
Status SaveCgroupKills(const std::string& path, const SavedCgroupKills& saved);

}  // namespace oombox
