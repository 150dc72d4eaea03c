#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oombox/v1/event.pb.h"
#include "tools/oombox/render/chart.h"

namespace oombox {

// One drawing of `oombox curve`: the usage over a window of time, the limit across it, the axes.
struct CurvePanel {
  const v1::MemoryCurve* curve = nullptr;
  const std::vector<const v1::CurvePoint*>* points = nullptr;  // by time
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  int64_t kill_ns = 0;
  size_t width = 80;
  size_t rows = 8;
  ChartStyle style = ChartStyle::kBraille;
  Paint paint{false};
};

// Lines, each with its newline and at most `width` wide.
std::string DrawPanel(const CurvePanel& panel);

}  // namespace oombox
