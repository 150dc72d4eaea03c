#pragma once

#include <cstdint>
#include <string>

#include "oombox/v1/query.pb.h"
#include "tools/oombox/render/page.h"
#include "tools/oombox/render/style.h"

namespace oombox {

struct ExplainView {
  int64_t now_ns = 0;
  size_t width = 100;  // of the screen; the page is never wider than 100 nor narrower than 60
  Paint paint{false};
};

// One screen on one event: at most 35 lines of 100 columns. What is not known is said so.
std::string RenderExplain(const v1::ExplainEventResponse& response, const ExplainView& view);

// The parts of it that are about memory: WHAT and WHO (explain_memory.cc), CURVE
// (explain_curve.cc), and all of a pressure event (explain_pressure.cc).
void AddWhat(const v1::OomEvent& oom, Page* page);
void AddWho(const v1::OomEvent& oom, Page* page);
void AddCurve(const v1::MemoryCurve& curve, Page* page);
void AddPressure(const v1::PressureEvent& pressure, Page* page);

}  // namespace oombox
