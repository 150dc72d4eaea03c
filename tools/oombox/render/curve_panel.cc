#include "tools/oombox/render/curve_panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr double kNoLimit = -1;

class Panel {
 public:
  explicit Panel(const CurvePanel& panel) : panel_(panel), top_(Top()) {}

  std::string Draw() const {
    const std::map<size_t, std::string> labels = Labels();
    size_t gutter = TextWidth("0 B");
    for (const auto& [row, label] : labels) {
      gutter = std::max(gutter, TextWidth(label));
    }
    const bool ascii = panel_.style == ChartStyle::kAscii;
    const size_t columns = std::max<size_t>(panel_.width, gutter + 12) - gutter - 2;
    const std::vector<std::string> lines =
        DrawChart(MakeChart(), columns, panel_.rows, panel_.style, panel_.paint);
    std::string out;
    for (size_t i = 0; i < lines.size(); ++i) {
      const auto label = labels.find(panel_.rows - 1 - i);
      const bool named = label != labels.end();
      out += PadLeft(named ? label->second : "", gutter) +
             (ascii ? (named ? " +" : " |") : (named ? " ┤" : " │")) + lines[i] + "\n";
    }
    out += PadLeft("0 B", gutter) + (ascii ? " +" : " └");
    for (size_t i = 0; i < columns; ++i) {
      out += ascii ? "-" : "─";
    }
    return out + "\n" + std::string(gutter + 2, ' ') + Times(columns) + "\n";
  }

 private:
  // The last that is known: on a curve whose points tell none, that of the whole.
  std::optional<uint64_t> Limit() const {
    if (panel_.curve->has_limit_bytes()) {
      return panel_.curve->limit_bytes();
    }
    return std::nullopt;
  }

  uint64_t Top() const {
    uint64_t top = std::max<uint64_t>(Limit().value_or(0), 1);
    for (const v1::CurvePoint* point : *panel_.points) {
      top = std::max({top, point->usage_bytes(), point->usage_max_bytes(), point->limit_bytes()});
    }
    return top;
  }

  double Height(uint64_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(top_);
  }

  double At(int64_t time_ns) const {
    const double span = static_cast<double>(panel_.end_ns) - static_cast<double>(panel_.start_ns);
    return span <= 0 ? 1
                     : (static_cast<double>(time_ns) - static_cast<double>(panel_.start_ns)) / span;
  }

  bool IsInside(const v1::CurvePoint& point) const {
    const int64_t time_ns = ToNs(point.time());
    return panel_.start_ns <= time_ns && time_ns <= panel_.end_ns;
  }

  bool GapBetween(const v1::CurvePoint& a, const v1::CurvePoint& b) const {
    const int64_t from = ToNs(a.time());
    const int64_t to = ToNs(b.time());
    return std::any_of(panel_.curve->gaps().begin(), panel_.curve->gaps().end(),
                       [&](const v1::CurveGap& gap) {
                         return ToNs(gap.start_time()) < to && ToNs(gap.end_time()) > from;
                       });
  }

  Chart MakeChart() const {
    Chart chart;
    AddLimit(chart);
    const v1::CurvePoint* before = nullptr;
    for (const v1::CurvePoint* point : *panel_.points) {
      if (!IsInside(*point)) {
        continue;
      }
      if (!point->has_usage_bytes()) {
        before = nullptr;
        continue;
      }
      if (before == nullptr || GapBetween(*before, *point)) {
        chart.runs.emplace_back();
      }
      const double value = Height(point->usage_bytes());
      chart.runs.back().push_back(
          {At(ToNs(point->time())), value,
           std::max(value, point->has_usage_max_bytes() ? Height(point->usage_max_bytes()) : 0)});
      before = point;
    }
    for (const v1::CurveGap& gap : panel_.curve->gaps()) {
      chart.blanks.emplace_back(At(ToNs(gap.start_time())), At(ToNs(gap.end_time())));
    }
    if (!chart.runs.empty()) {
      chart.mark = ChartSample{.at = At(panel_.kill_ns), .value = chart.runs.back().back().value};
    }
    return chart;
  }

  void AddLimit(Chart& chart) const {
    const bool told = std::any_of(panel_.points->begin(), panel_.points->end(),
                                  [](const auto* point) { return point->has_limit_bytes(); });
    if (!told) {
      if (Limit()) {
        chart.limit.emplace_back(0, Height(*Limit()));
      }
      return;
    }
    for (const v1::CurvePoint* point : *panel_.points) {
      const double height = point->has_limit_bytes() ? Height(point->limit_bytes()) : kNoLimit;
      if (chart.limit.empty() || chart.limit.back().second != height) {
        chart.limit.emplace_back(At(ToNs(point->time())), height);
      }
    }
  }

  // Heights on the left, by row from the bottom; each names the upper edge of its row.
  std::map<size_t, std::string> Labels() const {
    std::map<size_t, std::string> labels;
    const size_t rows = panel_.rows;
    labels[rows - 1] = FormatBytes(top_);
    labels[rows / 2 - 1] = FormatBytes(top_ / rows * (rows / 2));
    if (Limit()) {
      const double height = Height(*Limit()) * static_cast<double>(rows);
      labels[std::min(static_cast<size_t>(height), rows - 1)] = "limit " + FormatBytes(*Limit());
    }
    return labels;
  }

  std::string Times(size_t columns) const {
    const auto clock = [](int64_t time_ns) { return FormatClock(time_ns).substr(0, 8); };
    const std::string start = clock(panel_.start_ns);
    const std::string end = clock(panel_.end_ns);
    const size_t needed = TextWidth(start) + 1 + TextWidth(end);
    if (panel_.start_ns >= panel_.end_ns || columns < needed) {
      return PadLeft(end, columns);
    }
    std::string line = start;
    if (columns >= 40) {
      const int64_t middle = panel_.start_ns / 2 + panel_.end_ns / 2;
      line = PadRight(line, columns / 2 - 4) + clock(middle);
    }
    return line + PadLeft(end, columns - TextWidth(line));
  }

  const CurvePanel& panel_;
  const uint64_t top_;
};

}  // namespace

std::string DrawPanel(const CurvePanel& panel) { return Panel(panel).Draw(); }

}  // namespace oombox
