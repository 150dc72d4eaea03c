#pragma once

#include <cstdint>
#include <utility>

namespace oombox {

// Whether the programs at the reclaim tracepoints may go on: above their budget they are switched
// off, a minute later they get another chance. Looks as rarely as Brake. Not thread-safe; time is
// given.
class ReclaimBrake {
 public:
  static constexpr uint64_t kRearmNs = 60'000'000'000;

  enum class Order { kNone, kDisarm, kArm };

  explicit ReclaimBrake(unsigned budget_permille) : budget_permille_(budget_permille) {}

  // `run_ns`: what the programs took since they were attached; `of_ns`: time since the last look.
  Order Look(uint64_t now_ns, uint64_t of_ns, uint64_t run_ns, bool disarmed) {
    took_ns_ = run_ns - std::exchange(run_ns_, run_ns);
    if (disarmed) {
      return now_ns - disarmed_ns_ >= kRearmNs ? Order::kArm : Order::kNone;
    }
    if (took_ns_ <= of_ns / 1000 * budget_permille_) {
      return Order::kNone;
    }
    disarmed_ns_ = now_ns;
    ++times_;
    return Order::kDisarm;
  }

  uint64_t took_ns() const { return took_ns_; }  // before the last look
  unsigned times() const { return times_; }      // that they were switched off

 private:
  const unsigned budget_permille_;
  uint64_t run_ns_ = 0;
  uint64_t took_ns_ = 0;
  uint64_t disarmed_ns_ = 0;
  unsigned times_ = 0;
};

}  // namespace oombox
