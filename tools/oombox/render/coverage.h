#pragma once

#include <string>

#include "oombox/v1/query.pb.h"
#include "tools/oombox/event_source.h"

namespace oombox {

// Every node that is known is complete, and there is at least one.
bool IsComplete(const v1::CoverageSummary& summary);

// "coverage: 1998 of 2000 nodes complete; not: ip-10-3-9-2 (silent for 4 min), ...", without
// newline.
std::string CoverageLine(const EventList& list);

// False when the answer may lack kills and the source is one that should know: exit 3.
bool IsWhole(const EventList& list);

// "incomplete: 3 kills lost", "unknown: no report for 4 min".
std::string CoverageReason(const v1::Coverage& coverage,
                           const google::protobuf::Duration* report_age);

}  // namespace oombox
