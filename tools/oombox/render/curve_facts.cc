#include "tools/oombox/render/curve_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr double kSecond = 1e9;
constexpr double kMinute = 60 * kSecond;
constexpr double kHour = 60 * kMinute;

double TimeOf(const v1::CurvePoint& point) { return static_cast<double>(ToNs(point.time())); }

}  // namespace

std::vector<const v1::CurvePoint*> PointsByTime(const v1::MemoryCurve& curve) {
  std::vector<const v1::CurvePoint*> points;
  points.reserve(static_cast<size_t>(curve.points_size()));
  for (const v1::CurvePoint& point : curve.points()) {
    points.push_back(&point);
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const auto* a, const auto* b) { return ToNs(a->time()) < ToNs(b->time()); });
  return points;
}

std::optional<CurveGrowth> GrowthOf(const std::vector<const v1::CurvePoint*>& points) {
  const auto known = [](const v1::CurvePoint* point) { return point->has_usage_bytes(); };
  const auto first = std::find_if(points.begin(), points.end(), known);
  if (first == points.end()) {
    return std::nullopt;
  }
  const v1::CurvePoint& last = **std::find_if(points.rbegin(), points.rend(), known);
  CurveGrowth growth{.first_bytes = (*first)->usage_bytes(),
                     .last_bytes = last.usage_bytes(),
                     .span_ns = TimeOf(last) - TimeOf(**first)};
  for (const v1::CurvePoint* point : points) {
    const double before = TimeOf(last) - TimeOf(*point);
    // The nearest to a minute that is at least as long ago; much longer would be another number.
    if (known(point) && before >= kMinute && before <= 1.5 * kMinute) {
      growth.last_minute_bytes =
          static_cast<double>(last.usage_bytes()) - static_cast<double>(point->usage_bytes());
    }
  }
  return growth;
}

std::string SignedBytes(double bytes) {
  const double amount = std::min(std::abs(bytes), 1e18);
  if (!(amount >= 1)) {
    return "±0";
  }
  return (bytes < 0 ? "-" : "+") + FormatBytes(static_cast<uint64_t>(amount));
}

std::string SpanWords(double nanoseconds) {
  const double span = std::clamp(nanoseconds, 0.0, 1e18);
  if (span < 2 * kMinute) {
    return span < 10 * kSecond && span > 0 ? fmt::format("{:.1f} s", span / kSecond)
                                           : fmt::format("{:.0f} s", span / kSecond);
  }
  return span < 2 * kHour ? fmt::format("{:.0f} min", span / kMinute)
                          : fmt::format("{:.0f} h", span / kHour);
}

std::string GrowthWords(const CurveGrowth& growth) {
  constexpr double kEnoughForARate = 10 * kMinute;
  if (growth.span_ns <= 0) {
    return "";
  }
  const double grown =
      static_cast<double>(growth.last_bytes) - static_cast<double>(growth.first_bytes);
  return growth.span_ns < kEnoughForARate
             ? fmt::format("{} in {}", SignedBytes(grown), SpanWords(growth.span_ns))
             : SignedBytes(grown / (growth.span_ns / kHour)) + "/h";
}

std::string MissingCurveReason(const v1::Event& event) {
  for (const v1::MissingField& missing : event.oom().quality().missing()) {
    if (missing.field() == "curve" && !missing.reason().empty()) {
      return missing.reason();
    }
  }
  if (event.view() == v1::EVENT_VIEW_BASIC) {
    return "the event was saved in its short form";
  }
  return event.final() ? "not recorded, and the event does not say why"
                       : "not recorded yet: the event is not final";
}

}  // namespace oombox
