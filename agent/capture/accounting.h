#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bpf/oombox_abi.h"

namespace oombox {

// `oom_kill` of /proc/vmstat: every kill of every cgroup and of the node since boot (the first
// victim of a memory.oom.group kill counts twice). Absent when it cannot be read.
std::optional<uint64_t> ReadKernelKills(const std::string& path = "/proc/vmstat");

// One look at both sides of the identity kernel = kills seen + double counts + unexplained.
struct KillCounts {
  std::optional<uint64_t> kernel;  // since attach
  oombox_kill_counters seen{};     // since attach
  uint64_t unexplained = 0;        // kernel kills that were not seen; confirmed by a second look
};

// Compares the kernel's count with ours. The kernel counts a kill moments before our programs see
// it, so a difference is believed only when the next look finds it again. Pure arithmetic; not
// thread-safe.
class Accounting {
 public:
  // `kernel_at_attach` was read when the programs had just been attached and had counted
  // `seen_at_attach`.
  Accounting(std::optional<uint64_t> kernel_at_attach, uint64_t seen_at_attach)
      : base_(kernel_at_attach), seen_base_(seen_at_attach) {}

  KillCounts Look(std::optional<uint64_t> kernel_now, const oombox_kill_counters& seen);

 private:
  std::optional<uint64_t> base_;
  uint64_t seen_base_;
  uint64_t last_difference_ = 0;
};

}  // namespace oombox
