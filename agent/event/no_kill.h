#pragma once

#include "agent/event/assemble.h"
#include "agent/model/ring_record.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// The event of a record that belongs to no kill (kAlreadyDying, kNoVictim, kInitKilled). Pure.
v1::Event AssembleNoKill(const SignalRecord& record, const EventContext& context);

}  // namespace oombox
