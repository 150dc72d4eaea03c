#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tools/oombox/render/explain.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr int kColumns = 24;
constexpr std::array kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

// The highest usage of each slice, on a scale from 0 to the limit or the highest of all.
void AddCurve(const v1::MemoryCurve& curve, Page* page) {
  const int count = curve.points_size();
  uint64_t top = std::max<uint64_t>(curve.limit_bytes(), 1);
  for (const v1::CurvePoint& point : curve.points()) {
    top = std::max(top, point.usage_bytes());
  }
  std::string line = FormatClock(ToNs(curve.points(0).time())).substr(0, 5) + " ";
  const int columns = std::min(count, kColumns);
  for (int column = 0; column < columns; ++column) {
    std::optional<uint64_t> highest;
    for (int i = count * column / columns; i < count * (column + 1) / columns; ++i) {
      if (curve.points(i).has_usage_bytes()) {
        highest = std::max(highest.value_or(0), curve.points(i).usage_bytes());
      }
    }
    const double share = static_cast<double>(highest.value_or(0)) / static_cast<double>(top);
    line += highest ? kBars[std::min<size_t>(static_cast<size_t>(share * 8), 7)] : " ";
  }
  const v1::CurvePoint& last = curve.points(count - 1);
  line += "✕ " + FormatClock(ToNs(last.time())).substr(0, 5);
  if (curve.points(0).has_usage_bytes() && last.has_usage_bytes()) {
    line += fmt::format("   {} → {}", FormatBytes(curve.points(0).usage_bytes()),
                        FormatBytes(last.usage_bytes()));
  }
  page->Text("CURVE", line, 1);
}

}  // namespace oombox
