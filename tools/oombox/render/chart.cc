#include "tools/oombox/render/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace oombox {

namespace {

constexpr std::array<std::string_view, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

// Dots of one column of the finest resolution: the line, and a spike above it. Empty: from > to.
struct Span {
  size_t from = 1;
  size_t to = 0;
  size_t peak = 0;

  bool empty() const { return from > to; }
  void Include(size_t level) {
    from = empty() ? level : std::min(from, level);
    to = std::max(to, level);
    peak = std::max(peak, to);
  }
};

size_t Scale(double share, size_t count) {
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(count);
  return std::min(static_cast<size_t>(at), count - 1);
}

void AddRun(const std::vector<ChartSample>& run, size_t height, std::vector<Span>& spans) {
  const size_t width = spans.size();
  for (size_t i = 0; i < run.size(); ++i) {
    const size_t here = Scale(run[i].at, width);
    spans[here].Include(Scale(run[i].value, height));
    spans[here].peak = std::max(spans[here].peak, Scale(run[i].peak, height));
    if (i == 0) {
      continue;
    }
    const size_t before = Scale(run[i - 1].at, width);
    for (size_t x = before + 1; x < here; ++x) {
      const double share = static_cast<double>(x - before) / static_cast<double>(here - before);
      const double value = run[i - 1].value + (run[i].value - run[i - 1].value) * share;
      spans[x].Include(Scale(value, height));
    }
  }
}

struct Cell {
  std::string text = {};  // empty: nothing there
  Style style = Style::kPlain;
};

class Canvas {
 public:
  Canvas(size_t columns, size_t rows, ChartStyle style)
      : columns_(columns),
        rows_(rows),
        style_(style),
        across_(style == ChartStyle::kBraille ? 2 : 1),
        up_(style == ChartStyle::kBraille  ? 4
            : style == ChartStyle::kBlocks ? 8
                                           : 2),
        spans_(columns * across_),
        cells_(columns * rows) {}

  void AddLine(const Chart& chart) {
    for (const auto& run : chart.runs) {
      AddRun(run, rows_ * up_, spans_);
    }
    for (size_t column = 0; column < columns_; ++column) {
      for (size_t row = 0; row < rows_; ++row) {
        At(column, row).text = style_ == ChartStyle::kBraille  ? Braille(column, row)
                               : style_ == ChartStyle::kBlocks ? Block(column, row)
                                                               : Ascii(column, row);
      }
    }
  }

  // In steps, where nothing else is drawn and something was read.
  void AddLimit(const Chart& chart) {
    for (size_t column = 0; column < columns_ && !chart.limit.empty(); ++column) {
      const double at = (static_cast<double>(column) + 0.5) / static_cast<double>(columns_);
      if (IsBlank(chart, at)) {
        continue;
      }
      double height = chart.limit.front().second;
      for (const auto& [since, value] : chart.limit) {
        height = since <= at ? value : height;
      }
      if (height < 0) {
        continue;
      }
      Cell& cell = At(column, Scale(height, rows_));
      if (cell.text.empty()) {
        cell = {style_ == ChartStyle::kAscii ? "-" : "╌", Style::kYellow};
      }
    }
  }

  void AddMark(const ChartSample& mark) {
    At(Scale(mark.at, columns_), Scale(mark.value, rows_)) = {
        style_ == ChartStyle::kAscii ? "x" : "✕", Style::kRed};
  }

  std::vector<std::string> Lines(const Paint& paint) const {
    std::vector<std::string> lines;
    for (size_t row = rows_; row-- > 0;) {
      std::string line;
      std::string same;
      Style style = Style::kPlain;
      for (size_t column = 0; column < columns_; ++column) {
        const Cell& cell = cells_[row * columns_ + column];
        if (cell.style != style) {
          line += paint(style, same);
          same.clear();
          style = cell.style;
        }
        same += cell.text.empty() ? " " : cell.text;
      }
      lines.push_back(line + paint(style, same));
    }
    return lines;
  }

 private:
  static bool IsBlank(const Chart& chart, double at) {
    return std::any_of(chart.blanks.begin(), chart.blanks.end(),
                       [at](const auto& blank) { return blank.first <= at && at <= blank.second; });
  }

  Cell& At(size_t column, size_t row) { return cells_[row * columns_ + column]; }

  // Unicode's own numbering: dots 1-3 and 7 down the left, 4-6 and 8 down the right.
  std::string Braille(size_t column, size_t row) const {
    constexpr std::array<std::array<unsigned, 4>, 2> kDots = {
        {{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}}};
    unsigned dots = 0;
    for (size_t x = 0; x < 2; ++x) {
      const Span& span = spans_[column * 2 + x];
      for (size_t y = 0; y < 4 && !span.empty(); ++y) {
        const size_t level = row * 4 + y;
        dots |= span.from <= level && level <= span.peak ? kDots.at(x).at(y) : 0;
      }
    }
    if (dots == 0) {
      return "";
    }
    // U+2800 + dots, in UTF-8.
    return {static_cast<char>(0xe2), static_cast<char>(0xa0 | (dots >> 6)),
            static_cast<char>(0x80 | (dots & 0x3f))};
  }

  std::string Block(size_t column, size_t row) const {
    const Span& span = spans_[column];
    if (span.empty()) {
      return "";
    }
    const size_t filled = span.to + 1;
    if (filled > row * up_) {
      return std::string(kBlocks.at(std::min(filled - row * up_, up_)));
    }
    return span.peak / up_ == row ? "^" : "";
  }

  std::string Ascii(size_t column, size_t row) const {
    const Span& span = spans_[column];
    if (span.empty()) {
      return "";
    }
    const auto has = [&](size_t level) { return span.from <= level && level <= span.to; };
    if (has(row * 2) || has(row * 2 + 1)) {
      return !has(row * 2) ? "'" : has(row * 2 + 1) ? ":" : ".";
    }
    return span.peak > span.to && span.peak / up_ == row ? "^" : "";
  }

  const size_t columns_;
  const size_t rows_;
  const ChartStyle style_;
  const size_t across_;  // dots to a character
  const size_t up_;
  std::vector<Span> spans_;
  std::vector<Cell> cells_;  // the bottom row first
};

}  // namespace

std::vector<std::string> DrawChart(const Chart& chart, size_t columns, size_t rows,
                                   ChartStyle style, const Paint& paint) {
  Canvas canvas(columns, rows, style);
  canvas.AddLine(chart);
  canvas.AddLimit(chart);
  if (chart.mark) {
    canvas.AddMark(*chart.mark);
  }
  return canvas.Lines(paint);
}

}  // namespace oombox
