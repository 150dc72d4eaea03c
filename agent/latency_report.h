#pragma once

#include "agent/common/histogram.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// Times in nanoseconds as the wire has them. Pure.
v1::LatencyReport ToLatencyReport(const Histogram::Values& values);

// Back again, for whoever counts in histograms.
Histogram::Values FromLatencyReport(const v1::LatencyReport& report);

}  // namespace oombox
