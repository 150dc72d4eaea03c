#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "bpf/oombox_pinned.h"

namespace oombox {

// `oom_kill` of /proc/vmstat: every kill of every cgroup and of the node since boot (the first
// victim of a memory.oom.group kill counts twice). Absent when it cannot be read.
std::optional<uint64_t> ReadKernelKills(const std::string& path = "/proc/vmstat");

// Reads the kernel's count and ours at one moment and notes both in the attachment as where the
// identity begins; nothing when that was done before. The kernel counts a kill up to a millisecond
// before we do: a moment is taken at which both have stood still for `quiet`, or the last of many
// (Accounting::Ahead finds out what was under way then).
void NoteBase(oombox_attachment& attachment, const std::function<oombox_kill_counters()>& seen,
              const std::function<std::optional<uint64_t>()>& kernel,
              std::chrono::milliseconds quiet = std::chrono::milliseconds(2));

// One look at both sides of the identity
// kernel = kills seen + recursion misses + double counts + unexplained.
struct KillCounts {
  std::optional<uint64_t> kernel;  // since attach
  oombox_kill_counters seen{};     // since attach
  uint64_t recursion = 0;          // kernel kills whose program the kernel skipped
  uint64_t unexplained = 0;        // kernel kills that were not seen; confirmed by a second look
};

// Compares the kernel's count with ours. The kernel counts a kill moments before our programs see
// it, so a difference is believed only when it stands still and the next look finds it again. Not
// thread-safe.
class Accounting {
 public:
  // Both sides, ours after the kernel's: a kill in between must not look like one that was missed.
  struct Reading {
    std::optional<uint64_t> kernel;
    oombox_kill_counters seen{};
  };

  // Counts from the base that NoteBase has noted; a difference that was told is believed at once.
  // `attachment` must outlive it.
  explicit Accounting(const oombox_attachment& attachment);

  // Where they differ by more than was told, reads again until both have stood still for `quiet`,
  // or often: then what differed least. A reading counts when no kill came between its sides, so
  // it differs by what was missed at least; in a storm without such a reading it may be less.
  Reading Read(const std::function<std::optional<uint64_t>()>& kernel,
               const std::function<oombox_kill_counters()>& seen,
               std::chrono::milliseconds quiet = std::chrono::milliseconds(2)) const;

  // A skipped run need not have been a kill (a mark on a dying task is none): of the misses only as
  // many count as kills are missing and have not been told as unexplained.
  KillCounts Look(std::optional<uint64_t> kernel_now, const oombox_kill_counters& seen,
                  uint64_t recursion_misses);

  // Kills that were counted by the kernel, and not yet by us, when the base was read: by so much it
  // is too high, and would hide as many lost ones. Ours cannot be ahead of a count that is read
  // later, so that shows; believed when the next look finds it again.
  uint64_t Ahead(const oombox_kill_counters& seen, std::optional<uint64_t> kernel_later);

 private:
  std::optional<uint64_t> SinceBase(std::optional<uint64_t> kernel) const;
  uint64_t OursSinceBase(const oombox_kill_counters& seen) const;
  uint64_t Difference(const Reading& reading) const;

  const oombox_attachment& attachment_;
  uint64_t last_difference_;
  uint64_t last_ahead_ = 0;
};

}  // namespace oombox
