#pragma once

#include <cstdint>
#include <vector>

#include "agent/model/memory_sample.h"
#include "agent/pressure/curve_layout.h"

namespace oombox {

// The second ring takes a reading that is that much later than its last, and the third.
inline constexpr uint64_t kCurveMediumNs = 1'200'000'000;
inline constexpr uint64_t kCurveCoarseNs = 36'000'000'000;
// Readings further apart than that have a gap between them.
inline constexpr uint64_t kCurveGapNs = 75'000'000'000;
// Older ones are of no interest.
inline constexpr uint64_t kCurveSpanNs = 3'660'000'000'000;

// Into the rings that are due. The reading is written before it is counted: a kill in between loses
// it, nothing else.
void AddToRings(CurveSlot& slot, const MemorySample& sample);

// Each reading once, oldest first, of the hour before the moment. Whatever the slot's bytes are.
std::vector<MemorySample> PointsBefore(const CurveSlot& slot, uint64_t boottime_ns);

}  // namespace oombox
