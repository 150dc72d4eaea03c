#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oombox/v1/event.pb.h"

namespace oombox {

// The points in the order of time. They live as long as the curve.
std::vector<const v1::CurvePoint*> PointsByTime(const v1::MemoryCurve& curve);

// From the first usage that is known to the last.
struct CurveGrowth {
  uint64_t first_bytes = 0;
  uint64_t last_bytes = 0;
  double span_ns = 0;
  // Of the last minute; absent when nothing was read about a minute before the end.
  std::optional<double> last_minute_bytes = {};
};
// Nothing when no usage is known.
std::optional<CurveGrowth> GrowthOf(const std::vector<const v1::CurvePoint*>& points);

// "+239 MiB/h", or "+180 MiB in 3 min" where it was too short for a rate; empty for one reading.
std::string GrowthWords(const CurveGrowth& growth);
// "+6 MiB", "-3 MiB", "±0".
std::string SignedBytes(double bytes);
// "95 s", "60 min", "6 h": rounded.
std::string SpanWords(double nanoseconds);

// Why an event has no curve, as far as it says.
std::string MissingCurveReason(const v1::Event& event);

}  // namespace oombox
