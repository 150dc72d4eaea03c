#pragma once

#include <array>
#include <cstdint>

#include "agent/common/histogram.h"

namespace oombox {

// Bounds of a latency in nanoseconds, 100 µs to 60 s: three a decade, so that a quantile read from
// them is off by a factor of 2.5 at most. Fixed, because Prometheus can only add up equal ones.
inline constexpr std::array<uint64_t, 18> kLatencyBoundsNs = {
    100'000,       250'000,       500'000,       1'000'000,      2'500'000,      5'000'000,
    10'000'000,    25'000'000,    50'000'000,    100'000'000,    250'000'000,    500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000};

// Times in nanoseconds, as Histogram says.
class LatencyHistogram final : public Histogram {
 public:
  LatencyHistogram() : Histogram(kLatencyBoundsNs) {}
};

}  // namespace oombox
