#pragma once

#include <cstdint>
#include <optional>

#include "agent/model/memory_sample.h"
#include "agent/model/pressure.h"

namespace oombox {

// The state of one cgroup, from reading to reading. Up at once, when two readings agree; down only
// after a while below a lower threshold, the longer the more often it went to and fro. Pure; time
// is that of the readings.
class PressureStateMachine {
 public:
  // Shares of the limit. The usual alert on containers fires at 80 % of working set; 90 % leaves a
  // person some minutes.
  static constexpr double kWarning = 0.80;
  static constexpr double kWarningOver = 0.75;
  static constexpr double kCritical = 0.90;
  static constexpr double kCriticalOver = 0.85;
  // What the kernel cannot reclaim must be that much of the limit for a kill to be near: a cgroup
  // full of page cache that is in use (active_file) stays at a warning.
  static constexpr double kUnreclaimable = 0.80;
  // Percent of time that all, or some, tasks wait. Both averages must say so, as in KEP-5394: one
  // that is old and one that is new.
  static constexpr double kStallCritical10 = 20;
  static constexpr double kStallCritical60 = 10;
  static constexpr double kStallWarning10 = 10;
  static constexpr double kStallWarning60 = 10;
  static constexpr double kStallOver60 = 5;
  // The node's memory: shares that are not available any more (kubelet evicts at 100 MiB).
  static constexpr double kNodeWarning = 0.95;
  static constexpr double kNodeCritical = 0.98;

  static constexpr uint64_t kConfirmNs = 400'000'000;  // from a reading's end to one that agrees
  static constexpr uint64_t kConfirmAtMostNs = 30'000'000'000;  // and not longer apart
  static constexpr uint64_t kHoldNs = 30'000'000'000;
  static constexpr uint64_t kHoldAtMostNs = 600'000'000'000;

  struct Change {
    PressureState state = PressureState::kOk;
    PressureState previous = PressureState::kUnknown;
    PressureCause cause = PressureCause::kNone;
    uint64_t previous_since_ns = 0;

    bool operator==(const Change&) const = default;
  };

  explicit PressureStateMachine(bool is_node = false) : is_node_(is_node) {}
  // Goes on where an earlier run of the agent was.
  void Resume(PressureState state, PressureCause cause, uint64_t since_ns);

  // Nothing while the state stays. A first reading that is ok is no change. That memory is short
  // here, and not below, is for `short_here` to say: PSI has the stalls of all that is below, too.
  // One that stalls and comes near its limit besides is critical a second time. `read_until_ns`:
  // the sample may be of any moment from its time to then (0: of its time).
  std::optional<Change> Add(const MemorySample& sample, const std::optional<ReclaimStalls>& stalls,
                            bool short_here = true, uint64_t read_until_ns = 0);
  // The cgroup is gone; a change when it was in alarm.
  std::optional<Change> Remove(uint64_t boottime_ns);

  PressureState state() const { return state_; }
  uint64_t since_ns() const { return since_ns_; }
  // Times it would have gone down and up again, had it not gone to and fro before.
  uint64_t damped() const { return damped_; }

 private:
  struct Verdict {
    PressureState rises_to = PressureState::kOk;
    PressureState falls_to = PressureState::kOk;  // never below: hysteresis
    PressureCause cause = PressureCause::kNone;
  };
  Verdict Judge(const MemorySample& sample, const std::optional<ReclaimStalls>& stalls,
                bool short_here) const;
  bool ComesNearBesides(const Verdict& verdict, uint64_t now, uint64_t until);
  std::optional<Change> Rise(const Verdict& verdict, uint64_t now, uint64_t until);
  std::optional<Change> Fall(const Verdict& verdict, const MemorySample& sample, uint64_t now);
  Change Set(PressureState state, PressureCause cause, uint64_t now);
  void EndFall(uint64_t now);

  const bool is_node_;
  PressureState state_ = PressureState::kUnknown;
  PressureCause cause_ = PressureCause::kNone;  // of the state, as it was entered
  uint64_t since_ns_ = 0;
  PressureState seen_higher_ = PressureState::kOk;  // by the reading before
  uint64_t seen_higher_ns_ = 0;                     // when that was over
  std::optional<uint64_t> near_besides_ns_;         // the first of the readings that say so
  std::optional<uint64_t> below_since_ns_;
  uint64_t hold_ns_ = kHoldNs;
  uint64_t fell_ns_ = 0;                   // the last time; 0: not since it rose
  std::optional<MemorySample> raised_by_;  // absent after Resume
  uint64_t damped_ = 0;
};

}  // namespace oombox
