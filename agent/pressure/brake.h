#pragma once

#include <algorithm>
#include <cstdint>

namespace oombox {

// Looks every 10 s at what reading has cost, and how much less often than usual is to be read (what
// of, Watched says). Not thread-safe; time is given.
class Brake {
 public:
  static constexpr uint64_t kEveryNs = 10'000'000'000;
  static constexpr unsigned kMaxStretch = 64;

  Brake(unsigned budget_permille, uint64_t now_ns)
      : budget_permille_(budget_permille), at_ns_(now_ns) {}

  uint64_t due_ns() const { return at_ns_ + kEveryNs; }
  unsigned stretch() const { return stretch_; }
  // `spent_ns` since the beginning.
  void Look(uint64_t now_ns, uint64_t spent_ns) {
    if (now_ns < due_ns()) {
      return;
    }
    const uint64_t budget = (now_ns - at_ns_) / 1000 * budget_permille_;
    const uint64_t spent = spent_ns - spent_ns_;
    if (spent > budget) {
      stretch_ = std::min(stretch_ * 2, kMaxStretch);
    } else if (spent < budget / 3) {
      stretch_ = std::max(stretch_ / 2, 1U);
    }
    at_ns_ = now_ns;
    spent_ns_ = spent_ns;
  }

 private:
  const unsigned budget_permille_;
  uint64_t at_ns_;
  uint64_t spent_ns_ = 0;
  unsigned stretch_ = 1;
};

}  // namespace oombox
