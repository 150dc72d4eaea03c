#include "agent/capture/accounting.h"

#include <algorithm>
#include <fstream>

namespace oombox {

std::optional<uint64_t> ReadKernelKills(const std::string& path) {
  std::ifstream file(path);
  std::string name;
  uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "oom_kill") {
      return value;
    }
  }
  return std::nullopt;
}

void NoteBase(oombox_attachment& attachment, const std::function<oombox_kill_counters()>& seen,
              const std::function<std::optional<uint64_t>()>& kernel) {
  constexpr int kTries = 100;
  if (attachment.base_state != OOMBOX_BASE_NOT_READ) {
    return;
  }
  std::optional<uint64_t> count = kernel();
  oombox_kill_counters ours = seen();
  for (int i = 0; i < kTries; ++i) {
    const auto again = kernel();
    if (again == count) {
      break;
    }
    count = again;
    ours = seen();
  }
  attachment.base_kernel_kills = count.value_or(0);
  attachment.base_kills = ours.kills;
  attachment.base_double_counted = ours.double_counted;
  attachment.base_dropped_ring_full = ours.dropped_ring_full;
  attachment.base_state = count ? OOMBOX_BASE_READ : OOMBOX_BASE_UNREADABLE;
}

Accounting::Accounting(const oombox_attachment& attachment)
    : base_(attachment.base_state == OOMBOX_BASE_READ
                ? std::optional<uint64_t>(attachment.base_kernel_kills)
                : std::nullopt),
      seen_base_(attachment.base_kills + attachment.base_double_counted),
      last_difference_(attachment.recursion.told + attachment.unexplained.told) {}

KillCounts Accounting::Look(std::optional<uint64_t> kernel_now, const oombox_kill_counters& seen,
                            uint64_t recursion_misses) {
  KillCounts counts{.kernel = std::nullopt, .seen = seen};
  if (!kernel_now || !base_ || *kernel_now < *base_) {
    return counts;
  }
  counts.kernel = *kernel_now - *base_;
  const uint64_t ours = seen.kills + seen.double_counted - seen_base_;
  const uint64_t difference = *counts.kernel > ours ? *counts.kernel - ours : 0;
  const uint64_t believed = std::min(difference, last_difference_);
  last_difference_ = difference;
  counts.recursion = std::min(believed, recursion_misses);
  counts.unexplained = believed - counts.recursion;
  return counts;
}

}  // namespace oombox
