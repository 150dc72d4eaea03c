#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  bool trigger_outside = false;  // the trigger is not below the cgroup of fired_level

  KilledProcess victim;
  uint32_t parent_tgid = 0;
  std::string parent_comm;
  uint32_t trigger_tgid = 0;
  uint32_t trigger_tid = 0;
  std::string trigger_comm;

  std::vector<CgroupPages> levels;  // the victim's own first
  bool levels_cut = false;
  std::optional<uint32_t> fired_level;  // absent: no limit was reached

  bool ranked = false;
  bool rank_braked = false;          // not ranked: over the time budget
  bool rank_cut = false;             // bounded walk, or lists changed under it
  std::vector<KilledProcess> users;  // the biggest first
  uint32_t walk_threads = 0;
  uint32_t walk_processes = 0;
  ProcessPages walk_total;
};

}  // namespace oombox
