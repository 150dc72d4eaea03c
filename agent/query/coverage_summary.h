#pragma once

#include <vector>

#include "oombox/v1/query.pb.h"

namespace oombox {

// Whose events an answer has and whose are missing: what ends every list. Pure.
v1::CoverageSummary SummarizeCoverage(const std::vector<v1::NodeStatus>& nodes);

}  // namespace oombox
