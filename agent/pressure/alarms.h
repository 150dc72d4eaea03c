#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace oombox {

// The last alarm of each cgroup. Bounded: of too many the oldest goes. Not thread-safe.
class Alarms {
 public:
  static constexpr size_t kMax = 4096;
  // An alarm that ended that long before a kill has nothing to do with it.
  static constexpr uint64_t kAfterwardsNs = 60'000'000'000;

  void Begin(uint64_t cgroup_id, uint64_t since_ns) {
    alarms_[cgroup_id] = {.since_ns = since_ns};
    if (alarms_.size() > kMax) {
      alarms_.erase(std::min_element(
          alarms_.begin(), alarms_.end(),
          [](const auto& a, const auto& b) { return a.second.since_ns < b.second.since_ns; }));
    }
  }
  void End(uint64_t cgroup_id, uint64_t now_ns) {
    if (const auto found = alarms_.find(cgroup_id); found != alarms_.end()) {
      found->second.until_ns = now_ns;
    }
  }
  // When the one began that a kill at that moment belongs to.
  std::optional<uint64_t> Since(uint64_t cgroup_id, uint64_t boottime_ns) const {
    const auto found = alarms_.find(cgroup_id);
    if (found == alarms_.end() || found->second.since_ns > boottime_ns) {
      return std::nullopt;
    }
    const Alarm& alarm = found->second;
    return alarm.until_ns == 0 || alarm.until_ns + kAfterwardsNs > boottime_ns
               ? std::optional(alarm.since_ns)
               : std::nullopt;
  }

 private:
  struct Alarm {
    uint64_t since_ns = 0;
    uint64_t until_ns = 0;  // 0: it lasts
  };
  std::map<uint64_t, Alarm> alarms_;
};

}  // namespace oombox
