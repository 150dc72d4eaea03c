#pragma once

#include <string>
#include <vector>

#include "oombox/v1/query.pb.h"
#include "tests/unit/oombox/sample_events.h"

namespace oombox {

// Changes of memory pressure as an agent would make them.

// A pod's container comes near its limit; a minute later it is critical, and a kill follows.
v1::Event WarningSample(const std::string& id = "w4rn0x0123456789", int64_t age_ns = 8 * kMinute);
v1::Event CriticalSample(const std::string& id = "cr1tcx0123456789", int64_t age_ns = 7 * kMinute);
// Far from its limit, and all of its tasks wait for memory. No container.
v1::Event StallsSample(const std::string& id = "sta77x0123456789", int64_t age_ns = 20 * kMinute);
// Removed while it grew towards its limit.
v1::Event RemovedSample(const std::string& id = "rem0vx0123456789", int64_t age_ns = 5 * kMinute);
v1::Event LimitChangedSample(const std::string& id = "chgd0x0123456789", int64_t age_ns = kHour);
// The machine's own memory.
v1::Event NodePressureSample(const std::string& id = "n0de0x0123456789",
                             int64_t age_ns = 2 * kHour);

// All of them.
std::vector<v1::Event> PressureSamples();

// A node whose agent watches memory: containers, one without names, a system service, and the node
// itself near its end.
v1::NodeStatus WatchingNode();

}  // namespace oombox
