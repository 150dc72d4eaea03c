#include "agent/pressure/curve_points.h"

#include <algorithm>
#include <atomic>

namespace oombox {

namespace {

void Write(CurveRing& ring, const CurveReading& reading) {
  ring.readings[ring.written % CurveRing::kLength] = reading;
  std::atomic_ref(ring.written).store(ring.written + 1, std::memory_order_release);
}

const CurveReading* Last(const CurveRing& ring) {
  return ring.written == 0 ? nullptr : &ring.readings[(ring.written - 1) % CurveRing::kLength];
}

// A coarse reading stands for all since the one before: the highest of them is its usage_max.
void WriteWhenDue(CurveRing& ring, const CurveRing& finer, CurveReading reading,
                  uint64_t every_ns) {
  const CurveReading* last = Last(ring);
  if (last != nullptr && (reading.ticks - last->ticks) * kCurveTickNs < every_ns) {
    return;
  }
  uint32_t highest = reading.usage_max == kCurveAbsent ? 0 : reading.usage_max;
  for (size_t i = 0; last != nullptr && i < std::min<size_t>(finer.written, CurveRing::kLength);
       ++i) {
    const CurveReading& between = finer.readings[i];
    if (between.ticks > last->ticks && between.ticks < reading.ticks) {
      highest = std::max(highest, between.usage == kCurveAbsent ? 0 : between.usage);
      highest = std::max(highest, between.usage_max == kCurveAbsent ? 0 : between.usage_max);
    }
  }
  const bool higher = reading.usage != kCurveAbsent && highest > reading.usage &&
                      (last == nullptr || last->usage == kCurveAbsent || highest > last->usage);
  reading.usage_max = higher ? highest : kCurveAbsent;
  Write(ring, reading);
}

// The readings of a ring before `before`, newest last; those that go back in time are damage.
void Collect(const CurveRing& ring, uint64_t base_ns, uint64_t from_ns, uint64_t before_ns,
             std::vector<MemorySample>& out) {
  const size_t count = std::min<size_t>(ring.written, CurveRing::kLength);
  std::vector<MemorySample> found;
  for (size_t i = 0; i < count; ++i) {
    const CurveReading& reading = ring.readings[(ring.written - count + i) % CurveRing::kLength];
    MemorySample sample = DecodeReading(reading, base_ns);
    if (sample.boottime_ns >= from_ns && sample.boottime_ns < before_ns &&
        (found.empty() || sample.boottime_ns > found.back().boottime_ns)) {
      found.push_back(sample);
    }
  }
  out.insert(out.begin(), found.begin(), found.end());
}

}  // namespace

void AddToRings(CurveSlot& slot, const MemorySample& sample) {
  const CurveReading reading = EncodeReading(sample, slot.base_ns);
  WriteWhenDue(slot.medium, slot.fine, reading, kCurveMediumNs);
  WriteWhenDue(slot.coarse, slot.medium, reading, kCurveCoarseNs);
  Write(slot.fine, reading);
}

std::vector<MemorySample> PointsBefore(const CurveSlot& slot, uint64_t boottime_ns) {
  const uint64_t from = boottime_ns > kCurveSpanNs ? boottime_ns - kCurveSpanNs : 0;
  std::vector<MemorySample> points;
  const auto oldest = [&] { return points.empty() ? boottime_ns : points.front().boottime_ns; };
  Collect(slot.fine, slot.base_ns, from, oldest(), points);
  Collect(slot.medium, slot.base_ns, from, oldest(), points);
  Collect(slot.coarse, slot.base_ns, from, oldest(), points);
  return points;
}

}  // namespace oombox
