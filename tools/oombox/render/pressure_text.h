#pragma once

#include <optional>
#include <string>

#include "oombox/v1/event.pb.h"
#include "tools/oombox/render/style.h"

namespace oombox {

// The words of memory pressure, the same in every view. What is not known is "-".

// "ok", "warning", "critical", "unknown".
std::string StateName(v1::PressureEvent::State state);
Style StateStyle(v1::PressureEvent::State state);

// "1.8Gi", "512Mi": FormatBytes where every column counts.
std::string BriefBytes(uint64_t bytes);
// "1.8Gi/2Gi", "1.8Gi/none".
std::string UsageOverLimit(const v1::CgroupLevel& cgroup);
// Of the working set, in per cent of the limit; nothing without one. Where the working set is not
// known it is the usage.
std::optional<double> LimitShare(std::optional<uint64_t> working_set, std::optional<uint64_t> usage,
                                 std::optional<uint64_t> limit);

// "+12Mi/s", "+30Mi/min", "+239Mi/h", "-3Mi/h", "0": in the unit in which it is a number to read.
std::string GrowthText(const v1::MemoryTrend& trend);
// "~46m", with a question mark where the growth goes up and down: "~46m?".
std::string FullInText(const v1::MemoryTrend& trend);
// Where the memory goes; nowhere any more where the cgroup was removed.
const v1::MemoryTrend& TrendOf(const v1::PressureEvent& pressure);
// "full 45 %", "some 12 %", of the last 10 s; where the kernel has none, how much reclaim stalls:
// "reclaim 12 %".
std::string StallText(const v1::MemoryPressure& pressure);

// A change, after the subject: "critical … 1.8Gi of 2Gi (90 %), unreclaimable 1.7Gi, full 45 %, …".
std::string PressureWords(const v1::PressureEvent& pressure);

}  // namespace oombox
