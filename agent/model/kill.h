#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/cgroup_stat.h"

namespace oombox {

// What one kill record of the kernel says, decoded: plain data between capture and event. Strings
// are the kernel's raw bytes; memory is in pages unless named otherwise; absent means unknown.
struct ProcessPages {
  uint64_t anon = 0;
  uint64_t file = 0;
  uint64_t shmem = 0;
  uint64_t swap = 0;
  uint64_t page_tables_bytes = 0;
  uint64_t total_vm = 0;

  uint64_t resident_and_swapped() const { return anon + file + shmem + swap; }
};

// The same with what every CPU still held back.
struct ExactPages {
  uint64_t anon = 0;
  uint64_t file = 0;
  uint64_t shmem = 0;
  uint64_t swap = 0;
};

struct KilledProcess {
  uint32_t tgid = 0;
  uint32_t tid = 0;
  uint32_t namespace_pid = 0;
  uint32_t uid = 0;
  int32_t oom_score_adj = 0;
  uint64_t start_boottime_ns = 0;
  uint64_t cgroup_id = 0;
  std::optional<ProcessPages> memory;  // absent when the process had no mm any more
  std::string comm;
  std::optional<ExactPages> exact = {};
  std::optional<uint32_t> threads = {};  // absent in records of version 1, like what follows
  uint32_t namespace_level = 0;          // 0: the initial pid namespace
  std::string exe = {};                  // base name, cut

  bool container_init() const { return namespace_level > 0 && namespace_pid == 1; }
};

struct ParentProcess {
  uint32_t tgid = 0;
  uint32_t namespace_pid = 0;
  uint64_t start_boottime_ns = 0;
  uint32_t namespace_level = 0;
  std::string comm;

  bool container_init() const { return namespace_level > 0 && namespace_pid == 1; }
};
// memory.events of a cgroup.
struct CgroupEvents {
  uint64_t low = 0;
  uint64_t high = 0;
  uint64_t max = 0;
  uint64_t oom = 0;
  uint64_t oom_kill = 0;
  std::optional<uint64_t> oom_group_kill;  // since Linux 5.17
};

struct CgroupPages {
  uint64_t id = 0;
  std::optional<std::string> name;  // absent when it was cut; "" for the root
  uint64_t usage = 0;
  // Absent: no limit.
  std::optional<uint64_t> max;
  std::optional<uint64_t> high;
  uint64_t low = 0;
  uint64_t min = 0;
  uint64_t swap_usage = 0;  // v1: memory and swap together
  std::optional<uint64_t> swap_max;
  bool oom_group = false;
  bool oom_kill_disabled = false;  // v1
  // v1; absent where the kernel has none.
  std::optional<uint64_t> kmem_usage = {};
  std::optional<uint64_t> kmem_max = {};
  std::optional<uint64_t> tcp_usage = {};
  std::optional<uint64_t> tcp_max = {};
  std::optional<uint64_t> zswap_max = {};
  std::optional<uint64_t> zswap_usage_bytes = {};  // absent where the kernel has none, or hides it
  // Absent in records of version 1.
  std::optional<CgroupEvents> events = {};
  std::optional<CgroupEvents> local_events = {};
};

// struct oom_control.
struct KillDecision {
  uint64_t cgroup_id = 0;  // 0: no cgroup's limit
  uint64_t total_pages = 0;
  int64_t badness_pages = 0;
  uint32_t gfp_mask = 0;
  int32_t order = 0;
  uint32_t constraint = 0;  // enum oom_constraint
};

struct KillRecord {
  uint16_t version = 0;
  uint64_t boottime_ns = 0;
  uint32_t episode_tgid = 0;
  uint64_t episode_start_boottime_ns = 0;
  bool group_member = false;
  bool cgroup_v1 = false;
  bool rss_per_cpu = false;
  bool memcg_known = true;
  bool kills_group = false;      // memory.oom.group: more victims may follow
  bool trigger_outside = false;  // the trigger is not below the cgroup of inferred_level

  KilledProcess victim;
  uint32_t parent_tgid = 0;
  std::string parent_comm;
  // The nearest first, up to the first process of the victim's pid namespace; bounded.
  std::vector<ParentProcess> parents;
  uint32_t trigger_tgid = 0;
  uint32_t trigger_tid = 0;
  std::string trigger_comm;

  std::vector<CgroupPages> levels;  // the victim's own first
  bool levels_cut = false;
  // By usage and limits; absent: no limit was reached.
  std::optional<uint32_t> inferred_level;
  // The kernel's own word; absent when it was not found.
  std::optional<KillDecision> decision;
  // Index into levels of the cgroup whose limit fired: by the decision, else inferred. Absent: none
  // did, or it is not among the levels.
  std::optional<uint32_t> fired_level;
  std::vector<CgroupStat> stats;
  std::vector<uint64_t> stack;     // of the trigger: return addresses, innermost first
  uint64_t trigger_cgroup_id = 0;  // 0: unknown

  bool ranked = false;
  bool rank_braked = false;          // not ranked: over the time budget
  bool rank_cut = false;             // bounded walk, or lists changed under it
  bool sums_cut = false;             // no time for the exact memory of each user
  std::vector<KilledProcess> users;  // the biggest first
  uint32_t walk_threads = 0;
  uint32_t walk_processes = 0;
  ProcessPages walk_total;
  std::optional<uint64_t> walked_cgroup_id;
};

}  // namespace oombox
