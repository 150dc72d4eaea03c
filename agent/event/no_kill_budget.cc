#include "agent/event/no_kill_budget.h"

namespace oombox {

bool NoKillBudget::Admits(const SignalRecord& record) {
  if (IsSaidAlready(record)) {
    return false;
  }
  if (!Spend(record.kind == SignalKind::kNoVictim ? no_victims_ : others_, record.boottime_ns)) {
    ++skipped_;
    return false;
  }
  return true;
}

bool NoKillBudget::IsSaidAlready(const SignalRecord& record) {
  if (record.kind != SignalKind::kNoVictim) {
    return false;
  }
  if (record.target.cgroup_id == no_victim_cgroup_ &&
      record.boottime_ns - no_victim_boottime_ns_ < kSameNoVictimNs) {
    return true;
  }
  no_victim_cgroup_ = record.target.cgroup_id;
  no_victim_boottime_ns_ = record.boottime_ns;
  return false;
}

bool NoKillBudget::Spend(Hour& hour, uint64_t boottime_ns) {
  constexpr uint64_t kHourNs = 3600ULL * 1'000'000'000;
  if (boottime_ns / kHourNs != hour.number) {
    hour = {.number = boottime_ns / kHourNs};
  }
  return hour.spent++ < kPerHour;
}

}  // namespace oombox
