#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tools/oombox/render/curve_facts.h"
#include "tools/oombox/render/explain.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

using Points = std::vector<const v1::CurvePoint*>;

constexpr size_t kColumns = 24;
constexpr std::array kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

size_t ColumnOf(const Points& points, const v1::CurvePoint& point) {
  const auto first = static_cast<double>(ToNs(points.front()->time()));
  const double span = static_cast<double>(ToNs(points.back()->time())) - first;
  const double share = span <= 0 ? 1 : (static_cast<double>(ToNs(point.time())) - first) / span;
  return std::min(static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kColumns), kColumns - 1);
}

bool GapBetween(const v1::MemoryCurve& curve, const v1::CurvePoint& a, const v1::CurvePoint& b) {
  return std::any_of(curve.gaps().begin(), curve.gaps().end(), [&](const v1::CurveGap& gap) {
    return ToNs(gap.start_time()) < ToNs(b.time()) && ToNs(gap.end_time()) > ToNs(a.time());
  });
}

// The highest usage of each slice of time. A slice without a reading has that of the one before;
// in a gap it has none.
std::array<std::optional<uint64_t>, kColumns> Slices(const v1::MemoryCurve& curve,
                                                     const Points& points) {
  std::array<std::optional<uint64_t>, kColumns> slices;
  const v1::CurvePoint* before = nullptr;
  for (const v1::CurvePoint* point : points) {
    if (!point->has_usage_bytes()) {
      before = nullptr;
      continue;
    }
    const size_t column = ColumnOf(points, *point);
    if (before != nullptr && !GapBetween(curve, *before, *point)) {
      for (size_t i = ColumnOf(points, *before) + 1; i < column; ++i) {
        slices.at(i) = before->usage_bytes();
      }
    }
    slices.at(column) = std::max(slices.at(column).value_or(0), point->usage_bytes());
    before = point;
  }
  return slices;
}

}  // namespace

// On a scale from 0 to the limit or the highest of all, in the proportion of time.
void AddCurve(const v1::MemoryCurve& curve, Page* page) {
  const Points points = PointsByTime(curve);
  uint64_t top = std::max<uint64_t>(curve.limit_bytes(), 1);
  for (const v1::CurvePoint* point : points) {
    top = std::max(top, point->usage_bytes());
  }
  std::string line = FormatClock(ToNs(points.front()->time())).substr(0, 5) + " ";
  for (const std::optional<uint64_t>& bytes : Slices(curve, points)) {
    const double share = static_cast<double>(bytes.value_or(0)) / static_cast<double>(top);
    line += bytes ? kBars.at(std::min<size_t>(static_cast<size_t>(share * 8), 7)) : " ";
  }
  line += "✕ " + FormatClock(ToNs(points.back()->time())).substr(0, 5);
  const auto add = [&](const std::string& part) {
    if (TextWidth(line) + TextWidth(part) <= page->text_width()) {
      line += part;
    }
  };
  if (const auto growth = GrowthOf(points)) {
    const std::string last = FormatBytes(growth->last_bytes);
    add("   " + (growth->span_ns <= 0 ? last + ", one reading"
                                      : FormatBytes(growth->first_bytes) + " → " + last));
    if (const std::string words = GrowthWords(*growth); !words.empty()) {
      add("  " + words);
    }
    if (growth->last_minute_bytes) {
      add("; last 60 s " + SignedBytes(*growth->last_minute_bytes));
    }
  }
  if (!curve.gaps().empty()) {
    add(fmt::format("; {}", FormatCount(static_cast<uint64_t>(curve.gaps_size()), "gap")));
  }
  page->Fixed("CURVE", line);
}

}  // namespace oombox
