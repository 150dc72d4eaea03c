#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/oombox/render/style.h"

namespace oombox {

// Which characters a chart is made of. Braille has 2×4 dots to a character, blocks 8 heights; ASCII
// has 2 heights and is shown everywhere.
enum class ChartStyle { kBraille, kBlocks, kAscii };

// A reading: both from 0 to 1, left to right and bottom to top. `peak` is the highest that was seen
// since the reading before; not above `value`: none.
struct ChartSample {
  double at = 0;
  double value = 0;
  double peak = 0;
};

struct Chart {
  // Readings that are connected with each other; between two runs nothing was read.
  std::vector<std::vector<ChartSample>> runs = {};
  // A second line, in steps: (since, height), in the order of time; a negative
  // height is none.
  std::vector<std::pair<double, double>> limit = {};
  // Left blank: from, to.
  std::vector<std::pair<double, double>> blanks = {};
  // Where the ✕ stands.
  std::optional<ChartSample> mark = {};
};

// `rows` lines, each exactly `columns` wide; the first is the top.
std::vector<std::string> DrawChart(const Chart& chart, size_t columns, size_t rows,
                                   ChartStyle style, const Paint& paint);

}  // namespace oombox
