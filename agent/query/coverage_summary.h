#pragma once

#include <string>
#include <vector>

#include "oombox/v1/query.pb.h"

namespace oombox {

// Adds one node to a summary; `report_age` may be null.
void AddToSummary(const std::string& node_name, const v1::Coverage& coverage,
                  const google::protobuf::Duration* report_age, v1::CoverageSummary* summary);

// Events up to this time may be gone; keeps the latest.
void NoteRemoved(const google::protobuf::Timestamp& until, v1::CoverageSummary* summary);

// Whose events an answer has and whose are missing: what ends every list. Pure.
v1::CoverageSummary SummarizeCoverage(const std::vector<v1::NodeStatus>& nodes);

}  // namespace oombox
