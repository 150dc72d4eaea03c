#pragma once

#include <cstdint>
#include <optional>

namespace oombox {

// One reading of a memory cgroup's files. What could not be read is absent; a limit that is absent
// beside a usage that is there is no limit.
struct MemorySample {
  uint64_t boottime_ns = 0;
  std::optional<uint64_t> usage_bytes = {};
  std::optional<uint64_t> limit_bytes = {};
  std::optional<uint64_t> high_bytes = {};
  // The highest since the reading before, where it was higher than both.
  std::optional<uint64_t> usage_max_bytes = {};
  std::optional<uint64_t> working_set_bytes = {};
  std::optional<uint64_t> unreclaimable_bytes = {};
  std::optional<uint64_t> anon_bytes = {};
  std::optional<uint64_t> file_bytes = {};  // without shmem
  std::optional<uint64_t> shmem_bytes = {};
  std::optional<uint64_t> kernel_bytes = {};
  std::optional<uint64_t> slab_reclaimable_bytes = {};  // of kernel_bytes; v1 does not tell it
  std::optional<uint64_t> sock_bytes = {};
  std::optional<uint32_t> tasks = {};
  // Percent of the last 10 s and 60 s (PSI), and their totals.
  std::optional<double> some_avg10 = {};
  std::optional<double> full_avg10 = {};
  std::optional<double> some_avg60 = {};
  std::optional<double> full_avg60 = {};
  std::optional<uint64_t> some_total_us = {};
  std::optional<uint64_t> full_total_us = {};
  // Counters since the cgroup was made: v2 memory.events; v1 memory.failcnt is `max`.
  std::optional<uint64_t> events_high = {};
  std::optional<uint64_t> events_max = {};
  std::optional<uint64_t> events_oom = {};
  std::optional<uint64_t> events_oom_kill = {};

  bool operator==(const MemorySample&) const = default;
};

}  // namespace oombox
