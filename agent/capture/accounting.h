#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "bpf/oombox_pinned.h"

namespace oombox {

// `oom_kill` of /proc/vmstat: every kill of every cgroup and of the node since boot (the first
// victim of a memory.oom.group kill counts twice). Absent when it cannot be read.
std::optional<uint64_t> ReadKernelKills(const std::string& path = "/proc/vmstat");

// Reads the kernel's count and ours at one moment, while kills go on, and notes both in the
// attachment as where the identity begins; nothing when that was done before.
void NoteBase(oombox_attachment& attachment, const std::function<oombox_kill_counters()>& seen,
              const std::function<std::optional<uint64_t>()>& kernel);

// One look at both sides of the identity
// kernel = kills seen + recursion misses + double counts + unexplained.
struct KillCounts {
  std::optional<uint64_t> kernel;  // since attach
  oombox_kill_counters seen{};     // since attach
  uint64_t recursion = 0;          // kernel kills whose program the kernel skipped
  uint64_t unexplained = 0;        // kernel kills that were not seen; confirmed by a second look
};

// Compares the kernel's count with ours. The kernel counts a kill moments before our programs see
// it, so a difference is believed only when the next look finds it again. Pure arithmetic; not
// thread-safe.
class Accounting {
 public:
  // Counts from the base that NoteBase has noted; a difference that was told is believed at once.
  explicit Accounting(const oombox_attachment& attachment);

  // A skipped run need not have been a kill (a mark on a dying task is none): of the misses only as
  // many count as kills are missing.
  KillCounts Look(std::optional<uint64_t> kernel_now, const oombox_kill_counters& seen,
                  uint64_t recursion_misses);

 private:
  const std::optional<uint64_t> base_;
  const uint64_t seen_base_;
  uint64_t last_difference_;
};

}  // namespace oombox
