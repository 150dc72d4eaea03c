#pragma once

#include <string>

#include "agent/event/assemble.h"
#include "agent/model/kill.h"
#include "oombox/v1/event.pb.h"

// The parts of an event, each made from its part of a kill record. Internal to agent/event.
namespace oombox {

void FillMemory(const ProcessPages& pages, const KillRecord& record, const EventContext& context,
                v1::ProcessMemory* out);
// With the exact values, where they are known.
void FillProcessMemory(const KilledProcess& process, const KillRecord& record,
                       const EventContext& context, v1::ProcessMemory* out);
void FillVictim(const KillRecord& record, const EventContext& context, v1::Victim* out);
void FillCgroups(const KillRecord& record, const EventContext& context, v1::OomEvent* out);
void FillLimitHit(const KillRecord& record, const EventContext& context, v1::OomEvent* out);
void FillDecision(const KillRecord& record, v1::OomEvent* out);
// memory.stat of the levels that are in `out` already.
void FillStats(const KillRecord& record, const EventContext& context, v1::OomEvent* out);
void FillTrigger(const KillRecord& record, v1::OomEvent* out);
void FillTopUsers(const KillRecord& record, const EventContext& context, v1::OomEvent* out);

void AddMissing(v1::CaptureQuality* quality, std::string field, std::string reason);

}  // namespace oombox
