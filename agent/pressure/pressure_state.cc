#include "agent/pressure/pressure_state.h"

#include <algorithm>

namespace oombox {

namespace {

// Of the working set where it is known: usage counts page cache that goes at once.
std::optional<double> Share(const MemorySample& sample) {
  const auto limit = sample.limit_bytes ? sample.limit_bytes : sample.high_bytes;
  const auto held = sample.working_set_bytes ? sample.working_set_bytes : sample.usage_bytes;
  if (!limit || !held) {
    return std::nullopt;
  }
  // A limit of 0 holds nothing: whoever is in there is at it.
  return *limit == 0 ? 1.0 : static_cast<double>(*held) / static_cast<double>(*limit);
}

// Where it cannot be told, it is all that is held.
double UnreclaimableShare(const MemorySample& sample, double share) {
  const auto limit = sample.limit_bytes ? sample.limit_bytes : sample.high_bytes;
  return sample.unreclaimable_bytes && limit && *limit > 0
             ? static_cast<double>(*sample.unreclaimable_bytes) / static_cast<double>(*limit)
             : share;
}

// PSI where there is one; else what was measured of reclaim: all tasks together, which is no less
// than "some", and says nothing of "full".
struct Stalls {
  double full10 = 0;
  double full60 = 0;
  double some10 = 0;
  double some60 = 0;
};

Stalls StallsOf(const MemorySample& sample, const std::optional<ReclaimStalls>& measured) {
  if (sample.some_avg10) {
    return {sample.full_avg10.value_or(0), sample.full_avg60.value_or(0), *sample.some_avg10,
            sample.some_avg60.value_or(0)};
  }
  return measured ? Stalls{.some10 = measured->avg10, .some60 = measured->avg60} : Stalls{};
}

}  // namespace

void PressureStateMachine::Resume(PressureState state, PressureCause cause, uint64_t since_ns) {
  state_ = state;
  since_ns_ = since_ns;
  cause_ = cause;
}

PressureStateMachine::Verdict PressureStateMachine::Judge(
    const MemorySample& sample, const std::optional<ReclaimStalls>& stalls, bool short_here) const {
  Verdict verdict;
  const double warning = is_node_ ? kNodeWarning : kWarning;
  const double critical = is_node_ ? kNodeCritical : kCritical;
  const double warning_over = is_node_ ? warning - 0.02 : kWarningOver;
  const double critical_over = is_node_ ? critical - 0.01 : kCriticalOver;
  if (const auto share = Share(sample)) {
    const bool may_kill = is_node_ || sample.limit_bytes.has_value();
    const bool near = is_node_ || UnreclaimableShare(sample, *share) >= kUnreclaimable;
    const bool still_near = is_node_ || UnreclaimableShare(sample, *share) >= kUnreclaimable - 0.05;
    // At memory.high alone nobody is killed: it reclaims, and makes its tasks wait.
    if (*share >= critical && near && may_kill) {
      verdict.rises_to = PressureState::kCritical;
    } else if (*share >= warning) {
      verdict.rises_to = PressureState::kWarning;
    }
    if (*share >= critical_over && still_near && may_kill) {
      verdict.falls_to = PressureState::kCritical;
    } else if (*share >= warning_over) {
      verdict.falls_to = PressureState::kWarning;
    }
    verdict.cause =
        verdict.rises_to == PressureState::kOk ? PressureCause::kNone : PressureCause::kWorkingSet;
  }
  const Stalls waits = short_here ? StallsOf(sample, stalls) : Stalls{};
  const bool tells_stalls = !short_here || sample.some_avg10 || stalls;
  PressureState stalled = PressureState::kOk;
  if (waits.full10 >= kStallCritical10 && waits.full60 >= kStallCritical60) {
    stalled = PressureState::kCritical;
  } else if (waits.some10 >= kStallWarning10 && waits.some60 >= kStallWarning60) {
    stalled = PressureState::kWarning;
  }
  if (stalled > verdict.rises_to) {
    verdict.rises_to = stalled;
    verdict.cause = PressureCause::kStalls;
  }
  if (cause_ == PressureCause::kStalls) {
    const PressureState holds = !tells_stalls                  ? state_  // nobody knows
                                : waits.full60 >= kStallOver60 ? PressureState::kCritical
                                : waits.some60 >= kStallOver60 ? PressureState::kWarning
                                                               : PressureState::kOk;
    verdict.falls_to = std::max(verdict.falls_to, std::min(holds, state_));
  }
  verdict.falls_to = std::max(verdict.falls_to, stalled);
  return verdict;
}

PressureStateMachine::Change PressureStateMachine::Set(PressureState state, PressureCause cause,
                                                       uint64_t now) {
  const Change change{state, state_, cause, since_ns_};
  state_ = state;
  cause_ = cause;
  since_ns_ = now;
  seen_higher_ = PressureState::kOk;
  below_since_ns_.reset();
  return change;
}

void PressureStateMachine::EndFall(uint64_t now) {
  damped_ += below_since_ns_ && now - *below_since_ns_ >= kHoldNs ? 1 : 0;
  below_since_ns_.reset();
}

// One reading is no state: what lasts less than two of them is a spike.
std::optional<PressureStateMachine::Change> PressureStateMachine::Rise(const Verdict& verdict,
                                                                       uint64_t now,
                                                                       uint64_t until) {
  EndFall(now);
  const PressureState agreed = std::min(verdict.rises_to, seen_higher_);
  const uint64_t apart = now - seen_higher_ns_;
  if (agreed <= state_ || apart > kConfirmAtMostNs) {
    seen_higher_ = verdict.rises_to;
    seen_higher_ns_ = until;
    return std::nullopt;
  }
  if (apart < kConfirmNs) {
    return std::nullopt;
  }
  // Who comes back soon after it left has to stay away longer the next time.
  if (fell_ns_ != 0) {
    hold_ns_ = now - fell_ns_ < kHoldAtMostNs ? std::min(2 * hold_ns_, kHoldAtMostNs) : kHoldNs;
    fell_ns_ = 0;
  }
  return Set(agreed, verdict.cause, now);
}

std::optional<PressureStateMachine::Change> PressureStateMachine::Fall(const Verdict& verdict,
                                                                       const MemorySample& sample,
                                                                       uint64_t now) {
  seen_higher_ = PressureState::kOk;
  if (verdict.falls_to >= state_) {
    EndFall(now);
    return std::nullopt;
  }
  below_since_ns_ = below_since_ns_.value_or(now);
  if (now - *below_since_ns_ < hold_ns_) {
    return std::nullopt;
  }
  const bool limit_changed = raised_by_ && raised_by_->limit_bytes != sample.limit_bytes;
  fell_ns_ = now;
  const PressureCause cause = limit_changed                           ? PressureCause::kLimitChanged
                              : verdict.cause == PressureCause::kNone ? cause_
                                                                      : verdict.cause;
  return Set(std::max(verdict.falls_to, PressureState::kOk), cause, now);
}

// Critical by its stalls it may stay for hours; now a kill is near. Two readings agree, here too.
bool PressureStateMachine::ComesNearBesides(const Verdict& verdict, uint64_t now, uint64_t until) {
  const bool near = state_ == PressureState::kCritical && cause_ == PressureCause::kStalls &&
                    verdict.rises_to == PressureState::kCritical &&
                    verdict.cause == PressureCause::kWorkingSet;
  near_besides_ns_ = near ? std::optional(near_besides_ns_.value_or(until)) : std::nullopt;
  return near && now >= *near_besides_ns_ + kConfirmNs;
}

std::optional<PressureStateMachine::Change> PressureStateMachine::Add(
    const MemorySample& sample, const std::optional<ReclaimStalls>& stalls, bool short_here,
    uint64_t read_until_ns) {
  const uint64_t now = sample.boottime_ns;
  const uint64_t until = std::max(now, read_until_ns);
  const Verdict verdict = Judge(sample, stalls, short_here);
  if (state_ == PressureState::kUnknown) {
    state_ = PressureState::kOk;
    since_ns_ = now;
  }
  if (ComesNearBesides(verdict, now, until)) {
    raised_by_ = sample;
    return Set(PressureState::kCritical, PressureCause::kWorkingSet, now);
  }
  if (verdict.rises_to > state_) {
    const auto change = Rise(verdict, now, until);
    if (change) {
      raised_by_ = sample;
    }
    return change;
  }
  return state_ == PressureState::kOk ? (seen_higher_ = PressureState::kOk, std::nullopt)
                                      : Fall(verdict, sample, now);
}

std::optional<PressureStateMachine::Change> PressureStateMachine::Remove(uint64_t boottime_ns) {
  if (state_ <= PressureState::kOk) {
    return std::nullopt;
  }
  return Set(PressureState::kOk, PressureCause::kRemoved, boottime_ns);
}

}  // namespace oombox
