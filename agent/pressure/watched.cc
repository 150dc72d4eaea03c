#include "agent/pressure/watched.h"

#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "agent/pressure/brake.h"

namespace oombox {

namespace {

constexpr double kNsPerSecond = 1e9;
constexpr uint64_t kRecentNs = 10'000'000'000;
constexpr uint64_t kAverageNs = 60'000'000'000;  // PSI's longer one that counts
constexpr double kFull = 0.9;                    // reclaim at the limit leaves more than that

std::optional<uint64_t> LimitOf(const MemorySample& sample) {
  return sample.limit_bytes ? sample.limit_bytes : sample.high_bytes;
}

double ShareOf(const MemorySample& sample, const std::optional<uint64_t>& held) {
  const auto limit = LimitOf(sample);
  if (!limit || !held) {
    return 0;
  }
  return *limit == 0 ? 1 : static_cast<double>(*held) / static_cast<double>(*limit);
}

// Page cache fills many a cgroup to its limit for as long as it lives: what counts is the working
// set. Between two readings of all it moves with the usage, at most.
std::optional<uint64_t> HeldNow(const MemorySample& now, const MemorySample& before,
                                const std::optional<uint64_t>& held_before) {
  if (now.working_set_bytes || !now.usage_bytes) {
    return now.working_set_bytes;
  }
  if (!held_before || !before.usage_bytes) {
    return now.usage_bytes;
  }
  const uint64_t grown = *now.usage_bytes - std::min(*now.usage_bytes, *before.usage_bytes);
  return std::min(*held_before + grown, *now.usage_bytes);
}

// The reading knows less than the one before: what it does not say is as old as that.
void KeepRest(const MemorySample& before, MemorySample& sample) {
  const MemorySample usage = sample;
  sample = before;
  sample.boottime_ns = usage.boottime_ns;
  sample.usage_bytes = usage.usage_bytes;
  sample.limit_bytes = usage.limit_bytes;
  sample.usage_max_bytes = usage.usage_max_bytes;
  for (auto* part : {&sample.working_set_bytes, &sample.unreclaimable_bytes}) {
    if (*part && usage.usage_bytes) {  // no more than there is
      *part = std::min(**part, *usage.usage_bytes);
    }
  }
}

}  // namespace

double Watched::share() const { return ShareOf(now_.sample, held_bytes_); }

bool Watched::IsNearerThan(const Watched& other) const {
  return std::tuple(!grows_fast_, -share(), cgroup().id) <
         std::tuple(!other.grows_fast_, -other.share(), other.cgroup().id);
}

bool Watched::WantsAll(uint64_t now_ns) const {
  return all_ns_ == 0 || now_ns - all_ns_ >= kAllNs || WantsAllAfter(now_.sample) ||
         machine_.state() > PressureState::kOk || grows_fast_ || IsHeldUp(now_ns);
}

bool Watched::Reclaims(uint64_t now_ns) const {
  return reclaim_ && now_ns < reclaim_->counts.last_boottime_ns + kRecentNs;
}

bool Watched::Waits() const {
  return now_.sample.some_avg10.value_or(0) >= PressureStateMachine::kStallWarning10;
}

bool Watched::WantsAllAfter(const MemorySample& usage) const {
  return ShareOf(usage, usage.usage_bytes) >= kNear;
}

// Until it is full, if it grows as between the last two readings.
std::optional<double> Watched::SecondsLeft(uint64_t before_ns,
                                           std::optional<uint64_t> held_before) const {
  const auto limit = LimitOf(now_.sample);
  const uint64_t held = held_bytes_.value_or(0);
  if (!limit || !held_before || held <= *held_before || *limit <= held) {
    return std::nullopt;
  }
  const double seconds = static_cast<double>(now_.sample.boottime_ns - before_ns) / kNsPerSecond;
  const double rate = static_cast<double>(held - *held_before) / std::max(seconds, 1e-3);
  return static_cast<double>(*limit - held) / rate;
}

uint64_t Watched::Interval(std::optional<double> seconds_left, uint64_t last_interval_ns,
                           unsigned stretch, bool of_nearest) const {
  const double share = this->share();
  const uint64_t far_stretch =
      stretch <= kNearStretch ? std::min(stretch, kFarStretch) : stretch / 4;
  const uint64_t near_ns = stretch < Brake::kMaxStretch ? kNearNs : kNearNs * kNearStretch;
  uint64_t interval = share >= kAtOnce ? kAtOnceNs
                      : share >= kNear ? near_ns
                      : share >= kHalf ? kHalfNs * far_stretch
                                       : kFarNs * far_stretch;
  const uint64_t age_ns = now_.sample.boottime_ns - begin_ns_;
  interval = std::min(interval, std::max(kAtOnceNs, age_ns / 4) * far_stretch);
  if (seconds_left) {
    interval = std::min(interval, *seconds_left < kAtOnceSeconds ? kAtOnceNs
                                  : *seconds_left < kNearSeconds ? near_ns
                                                                 : interval);
  }
  if (IsHeldUp(now_.sample.boottime_ns)) {
    interval = std::min(interval, near_ns);
  }
  // One reading that shows no growth does not end it: what was read often is read ever less often.
  interval = std::min(interval, std::max(kAtOnceNs, 2 * last_interval_ns));
  // Where it costs too much to read all that is near so often, the finest goes.
  const bool at_once = share >= kAtOnce || (seconds_left && *seconds_left < kAtOnceSeconds);
  return stretch < 4 ? interval
                     : std::max(interval, of_nearest && at_once ? kBrakedAtOnceNs : near_ns);
}

std::optional<PressureStateMachine::Change> Watched::Add(MemoryReader::Reading& reading, bool all,
                                                         unsigned stretch, bool of_nearest) {
  MemorySample& sample = reading.sample;
  const MemorySample before = now_.sample;
  const uint64_t now = sample.boottime_ns;
  if (reclaim_ && reclaim_->counts.usage_max_pages > 0) {
    reading.peak_bytes =
        std::max(reading.peak_bytes.value_or(0),
                 reclaim_->counts.usage_max_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  }
  const uint64_t usage = sample.usage_bytes.value_or(0);
  if (reading.peak_bytes && peak_bytes_ && *reading.peak_bytes > *peak_bytes_ &&
      *reading.peak_bytes > std::max(usage, before.usage_bytes.value_or(0))) {
    sample.usage_max_bytes = reading.peak_bytes;
  }
  peak_bytes_ = reading.peak_bytes ? reading.peak_bytes : peak_bytes_;
  usage_max_.Add(now, std::max(usage, sample.usage_max_bytes.value_or(0)));
  const auto held_before = held_bytes_;
  held_bytes_ = HeldNow(sample, before, held_before);
  now_.sample = sample;
  if (all) {
    all_ns_ = now;
    has_psi_ = reading.has_psi;
  } else {
    KeepRest(before, now_.sample);
  }
  if (reading.scanned_pages && scanned_pages_ && *reading.scanned_pages > *scanned_pages_) {
    scanned_ns_ = now;
  }
  scanned_pages_ = reading.scanned_pages ? reading.scanned_pages : scanned_pages_;
  const auto seconds_left = SecondsLeft(before.boottime_ns, held_before);
  grows_fast_ = seconds_left && *seconds_left < kNearSeconds;
  due_ns_ = now + Interval(seconds_left, now - before.boottime_ns, stretch, of_nearest);
  return machine_.Add(all ? sample
                          : MemorySample{.boottime_ns = now,
                                         .usage_bytes = sample.usage_bytes,
                                         .limit_bytes = sample.limit_bytes,
                                         .high_bytes = before.high_bytes},
                      has_psi_ ? std::nullopt : Stalls(now), IsShortHere(now), reading.until_ns);
}

// What waits below the limit, or while nothing is reclaimed for the node, waits for somebody
// else's: the alarm is theirs. Measured reclaim has its own cgroup, and goes no way up.
bool Watched::IsShortHere(uint64_t now_ns) const {
  if (!has_psi_) {
    return true;
  }
  if (now_.cgroup.is_node()) {
    return !scanned_pages_ || (scanned_ns_ != 0 && now_ns - scanned_ns_ < kAverageNs);
  }
  const MemorySample& sample = now_.sample;
  const uint64_t bound =
      std::min(sample.limit_bytes.value_or(UINT64_MAX), sample.high_bytes.value_or(UINT64_MAX));
  return bound == UINT64_MAX || !sample.usage_bytes ||
         static_cast<double>(*sample.usage_bytes) >= kFull * static_cast<double>(bound);
}

void Watched::AddReclaim(const ReclaimCounts& counts, uint64_t stalled_before_ns, bool names_target,
                         uint64_t now_ns) {
  if (reclaim_ && reclaim_->counts == counts) {
    return;
  }
  if (!reclaim_) {
    stalls_.Add(now_ns - std::min(now_ns, kNearNs), stalled_before_ns);
  }
  stalls_.Add(now_ns, counts.stall_ns);
  // Afterwards its interval is short as long as it reclaims.
  const bool begins = !reclaim_ || reclaim_->counts.last_boottime_ns + kRecentNs < now_ns;
  reclaim_ = ReclaimStalls{.counts = counts, .names_target = names_target};
  if (begins) {
    HurryTo(now_ns);
  }
}

std::optional<ReclaimStalls> Watched::Stalls(uint64_t now_ns) const {
  if (!reclaim_) {
    return std::nullopt;
  }
  ReclaimStalls stalls = *reclaim_;
  stalls.avg10 = stalls_.Get(now_ns, 10'000'000'000);
  stalls.avg60 = stalls_.Get(now_ns, 60'000'000'000);
  return stalls;
}

CgroupPressure Watched::Now(uint64_t now_ns) {
  CgroupPressure now = now_;
  now.state = machine_.state();
  now.usage_max_1m_bytes = usage_max_.Get(now_ns);
  now.reclaim = Stalls(now_ns);
  return now;
}

}  // namespace oombox
