#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/event/assemble.h"
#include "agent/event/container.h"
#include "agent/model/pressure.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// Names the event of a change of state; the same change is the same event.
std::string PressureEventId(std::string_view boot_id, uint64_t cgroup_id, uint64_t boottime_ns);

// The event of a change of state. Pure.
v1::Event AssemblePressure(const PressureChange& change, const EventContext& context,
                           const IdentifyCgroupFn& identify);

// The parts that a node's report has, too.
v1::PressureEvent::State StateOf(PressureState state);
void FillPressure(const CgroupPressure& now, v1::MemoryPressure* out);
void FillTrend(const MemoryTrend& trend, v1::MemoryTrend* out);
// False where not all counters are known, as on cgroup v1.
bool FillEvents(const MemorySample& sample, v1::MemoryEvents* out);

}  // namespace oombox
