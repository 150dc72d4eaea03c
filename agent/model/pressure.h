#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/memory_sample.h"
#include "agent/model/reclaim.h"

namespace oombox {

enum class PressureState { kUnknown, kOk, kWarning, kCritical };
enum class PressureCause { kNone, kWorkingSet, kStalls, kRemoved, kLimitChanged };
enum class TrendConfidence { kLow, kMedium, kHigh };

// Where the memory is going that the kernel cannot reclaim.
struct MemoryTrend {
  double growth_bytes_per_second = 0;
  uint64_t window_ns = 0;
  std::optional<double> seconds_to_limit = {};
  TrendConfidence confidence = TrendConfidence::kLow;
};

// Reclaim of one cgroup as measured by the programs, with its share of time.
struct ReclaimStalls {
  ReclaimCounts counts = {};
  bool names_target = false;
  double avg10 = 0;  // percent, all tasks together
  double avg60 = 0;
};

// A memory cgroup, or the node.
struct WatchedCgroup {
  uint64_t id = 0;        // kernfs node id; 0: the node itself
  std::string path = {};  // below the mount point of the memory controller, "/" for the node

  bool is_node() const { return id == 0; }
};

// What is known of one now.
struct CgroupPressure {
  WatchedCgroup cgroup = {};
  PressureState state = PressureState::kUnknown;
  MemorySample sample = {};  // the last
  std::optional<uint64_t> usage_max_1m_bytes = {};
  std::optional<MemoryTrend> trend = {};
  std::optional<ReclaimStalls> reclaim = {};
};

// A change of state.
struct PressureChange {
  CgroupPressure now = {};
  PressureState previous = PressureState::kUnknown;
  PressureCause cause = PressureCause::kNone;
  uint64_t boottime_ns = 0;
  uint64_t previous_since_ns = 0;  // boottime
  // By a later agent than saw it: with what its curve still knew.
  bool told_again = false;
};

// The memory of a cgroup before a moment.
struct MemoryHistory {
  struct Gap {
    uint64_t begin_ns = 0;  // boottime
    uint64_t end_ns = 0;
    std::string reason = {};
  };
  WatchedCgroup cgroup = {};
  std::vector<MemorySample> points = {};  // oldest first
  std::vector<Gap> gaps = {};
};

// What the watch over memory can tell of a kill. Thread-safe; quick.
class HistorySource {
 public:
  virtual ~HistorySource() = default;
  // Of the cgroup (0: the node) up to that moment; nothing when it was not watched.
  virtual std::optional<MemoryHistory> Before(uint64_t cgroup_id, uint64_t boottime_ns) const = 0;
  // When the state it was in at that moment began, if that was a warning or critical: the boottime
  // of the change, which names its event.
  virtual std::optional<uint64_t> AlarmedSince(uint64_t cgroup_id, uint64_t boottime_ns) const = 0;
};

}  // namespace oombox
