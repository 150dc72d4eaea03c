#pragma once

#include <string>

#include "agent/event/assemble.h"
#include "agent/model/kill.h"
#include "oombox/v1/event.pb.h"

// The parts of an event, each made from its part of a kill record. Internal to agent/event.
namespace oombox {

void FillMemory(const ProcessPages& pages, const KillRecord& record, const EventContext& context,
                v1::ProcessMemory* out);
void FillVictim(const KillRecord& record, const EventContext& context, v1::Victim* out);
void FillCgroups(const KillRecord& record, const EventContext& context, v1::OomEvent* out);
void FillLimitHit(const KillRecord& record, const EventContext& context, v1::OomEvent* out);
void FillTopUsers(const KillRecord& record, const EventContext& context, v1::OomEvent* out);

void AddMissing(v1::CaptureQuality* quality, std::string field, std::string reason);

}  // namespace oombox
