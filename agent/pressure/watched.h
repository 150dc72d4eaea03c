#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "agent/model/pressure.h"
#include "agent/pressure/memory_reader.h"
#include "agent/pressure/pressure_state.h"
#include "agent/pressure/windows.h"

namespace oombox {

// One cgroup (or the node) that is watched: what was read of it, its state, and when it is read
// again. Not thread-safe; time is given.
class Watched {
 public:
  // How often it is read, the nearer to its limit the more often.
  static constexpr uint64_t kFarNs = 10'000'000'000;
  static constexpr uint64_t kHalfNs = 5'000'000'000;  // from kHalf on
  static constexpr uint64_t kNearNs = 1'000'000'000;
  static constexpr uint64_t kAtOnceNs = 250'000'000;
  static constexpr uint64_t kBrakedAtOnceNs = 500'000'000;
  static constexpr double kHalf = 0.5;
  static constexpr double kNear = 0.7;
  static constexpr double kAtOnce = 0.9;
  // Or the sooner it is there, if it grows as between the last two readings; or the newer it is.
  // From one reading to the next it becomes twice as long, at most.
  static constexpr double kNearSeconds = 60;
  static constexpr double kAtOnceSeconds = 10;
  // By the brake, what is far is read so many times less often: every 30 s, in which a leak of a
  // minute still shows. Where that does not suffice, above kNearStretch, a quarter of what the
  // brake says; at its end what is near is read less often, too.
  static constexpr unsigned kFarStretch = 3;
  static constexpr unsigned kNearStretch = 16;
  // So many, the nearest, may be read twice a second at the limit, whatever the brake says: a few
  // 1/1000 of a core.
  static constexpr size_t kFewNear = 8;
  // Everything is read that often, whatever the distance.
  static constexpr uint64_t kAllNs = 29'000'000'000;

  Watched(WatchedCgroup cgroup, bool is_container, uint64_t now_ns)
      : is_container_(is_container),
        machine_(cgroup.is_node()),
        begin_ns_(now_ns),
        due_ns_(now_ns) {
    now_.cgroup = std::move(cgroup);
  }

  const WatchedCgroup& cgroup() const { return now_.cgroup; }
  bool is_container() const { return is_container_; }
  uint64_t due_ns() const { return due_ns_; }
  void HurryTo(uint64_t now_ns) { due_ns_ = std::min(due_ns_, now_ns); }
  // It could not be read, and is still there.
  void Postpone(uint64_t now_ns) { due_ns_ = now_ns + kFarNs; }
  // Of its limit, by working set where it is known. 0 without a limit.
  double share() const;

  // It may come to a kill soon.
  bool is_near() const {
    return grows_fast_ || share() >= kNear || machine_.state() > PressureState::kOk;
  }
  // What grows fast is, whatever its share. Of two alike the older.
  bool IsNearerThan(const Watched& other) const;
  // It reclaims, or its tasks wait: it may be at its limit, though it was far when it was read.
  bool IsHeldUp(uint64_t now_ns) const { return Reclaims(now_ns) || Waits(); }
  bool was_read() const { return all_ns_ != 0; }
  // Everything, because it is near, will be soon, or waits; or because it is time.
  bool WantsAll(uint64_t now_ns) const;
  bool WantsAllAfter(const MemorySample& usage) const;

  void Resume(PressureState state, PressureCause cause, uint64_t since_ns) {
    machine_.Resume(state, cause, since_ns);
  }
  // Takes a reading in: its sample gets the spike since the one before. `stretch` makes what is far
  // be read less often, and what is near, too, but for the `of_nearest`. Returns a change of state.
  std::optional<PressureStateMachine::Change> Add(MemoryReader::Reading& reading, bool all,
                                                  unsigned stretch, bool of_nearest = false);
  // `stalled_before_ns`: as the look before had it.
  void AddReclaim(const ReclaimCounts& counts, uint64_t stalled_before_ns, bool names_target,
                  uint64_t now_ns);
  // What was measured of reclaim is not known any more.
  void ForgetReclaim() { reclaim_.reset(); }
  std::optional<PressureStateMachine::Change> Remove(uint64_t now_ns) {
    return machine_.Remove(now_ns);
  }

  void SetTrend(std::optional<MemoryTrend> trend, uint64_t now_ns) {
    now_.trend = trend;
    trend_ns_ = now_ns;
  }
  uint64_t trend_ns() const { return trend_ns_; }
  // What is known now; averages are of now, too.
  CgroupPressure Now(uint64_t now_ns);
  PressureState state() const { return machine_.state(); }
  uint64_t state_since_ns() const { return machine_.since_ns(); }
  uint64_t damped() const { return machine_.damped(); }

 private:
  std::optional<double> SecondsLeft(uint64_t before_ns, std::optional<uint64_t> held_before) const;
  uint64_t Interval(std::optional<double> seconds_left, uint64_t last_interval_ns, unsigned stretch,
                    bool of_nearest) const;
  bool Reclaims(uint64_t now_ns) const;
  bool Waits() const;
  bool IsShortHere(uint64_t now_ns) const;
  std::optional<ReclaimStalls> Stalls(uint64_t now_ns) const;

  const bool is_container_;
  CgroupPressure now_;
  PressureStateMachine machine_;
  const uint64_t begin_ns_;
  uint64_t due_ns_;
  uint64_t all_ns_ = 0;    // when everything was read
  uint64_t trend_ns_ = 0;  // when the trend was reckoned
  std::optional<uint64_t> peak_bytes_;
  std::optional<uint64_t> held_bytes_;  // working set, or what it may be by now
  MinuteMax usage_max_;
  std::optional<ReclaimStalls> reclaim_;
  ShareOfTime stalls_;
  std::optional<uint64_t> scanned_pages_;  // of the node
  uint64_t scanned_ns_ = 0;                // when they grew last
  bool has_psi_ = false;
  bool grows_fast_ = false;
};

}  // namespace oombox
