#pragma once

#include <cstdint>
#include <string>

#include "oombox/v1/event.pb.h"
#include "tools/oombox/render/chart.h"
#include "tools/oombox/render/style.h"
#include "tools/oombox/render/table.h"

namespace oombox {

struct CurveView {
  int64_t now_ns = 0;
  size_t width = 80;  // of the screen; the page is between 40 and 160 wide
  ChartStyle style = ChartStyle::kBraille;
  Paint paint{false};
};

// The memory before a kill, drawn: all of it and, where it is longer, the last two minutes; what it
// consisted of, and where nothing was read. The event has a curve.
std::string RenderCurve(const v1::Event& event, const CurveView& view);

// A line per reading with all that is known of it, the gaps between them across the width.
std::string RenderCurveTable(const v1::MemoryCurve& curve, const TableOptions& options);

}  // namespace oombox
