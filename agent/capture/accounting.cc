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

KillCounts Accounting::Look(std::optional<uint64_t> kernel_now, const oombox_kill_counters& seen) {
  KillCounts counts{.kernel = std::nullopt, .seen = seen, .unexplained = 0};
  if (!kernel_now || !base_ || *kernel_now < *base_) {
    return counts;
  }
  counts.kernel = *kernel_now - *base_;
  const uint64_t ours = seen.kills + seen.double_counted - seen_base_;
  const uint64_t difference = *counts.kernel > ours ? *counts.kernel - ours : 0;
  counts.unexplained = std::min(difference, last_difference_);
  last_difference_ = difference;
  return counts;
}

}  // namespace oombox
