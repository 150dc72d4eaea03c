#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "agent/model/ring_record.h"

namespace oombox {

// Which records that are no kill become events. Whoever can make containers can make such records,
// and they must not drive the kills out of the store. One thread; the count: any.
class NoKillBudget {
 public:
  // In an hour, of OOMs without a victim and of the others.
  static constexpr uint64_t kPerHour = 600;
  // A cgroup in which nobody may be killed says so with each fault: one event in this time.
  static constexpr uint64_t kSameNoVictimNs = 60'000'000'000;

  bool Admits(const SignalRecord& record);
  // Those that were too many.
  uint64_t skipped() const { return skipped_.load(); }

 private:
  struct Hour {
    uint64_t number = 0;
    uint64_t spent = 0;
  };
  bool IsSaidAlready(const SignalRecord& record);
  static bool Spend(Hour& hour, uint64_t boottime_ns);

  std::optional<uint64_t> no_victim_cgroup_;  // of the last
  uint64_t no_victim_boottime_ns_ = 0;
  // Apart, so that what anybody can cause does not hide what matters.
  Hour no_victims_;
  Hour others_;
  std::atomic<uint64_t> skipped_ = 0;
};

}  // namespace oombox
