#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace oombox {

// What the kernel log says of one kill: plain data between capture and event. Strings are the
// kernel's raw bytes; absent means that the log does not say (the kernel prints its report at most
// ten times in 5 s, the line "Killed process" always).
struct LoggedKill {
  // CLOCK_BOOTTIME as far as the log's own clock tells: it may be off by 100 ppm of the uptime.
  uint64_t boottime_ns = 0;
  uint64_t log_time_us = 0;  // as printed: the same whenever the log is read
  // As the kernel names it: a thread's id where the leader thread had exited.
  uint32_t tgid = 0;
  std::string comm;
  std::optional<uint32_t> uid;
  std::optional<int32_t> oom_score_adj;
  // The whole cgroup is killed (memory.oom.group), and the kernel chose another process of it.
  bool group_member = false;

  // A memory cgroup's limit, not the machine, ran out.
  bool cgroup_limit = false;
  // What restricted the allocation; where the report is missing known for a cgroup's limit only.
  enum class Constraint { kNone, kCpuset, kMemoryPolicy, kMemcg };
  std::optional<Constraint> constraint;
  std::optional<std::string> victim_cgroup;  // task_memcg
  std::optional<std::string> fired_cgroup;   // oom_memcg; absent for the machine
  std::optional<uint64_t> usage_bytes;       // of fired_cgroup
  std::optional<uint64_t> limit_bytes;

  std::optional<uint64_t> total_vm_bytes;
  std::optional<uint64_t> anon_bytes;
  std::optional<uint64_t> file_bytes;
  std::optional<uint64_t> shmem_bytes;
  std::optional<uint64_t> page_tables_bytes;

  bool operator==(const LoggedKill&) const = default;
};

}  // namespace oombox
