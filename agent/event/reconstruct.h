#pragma once

#include <span>
#include <vector>

#include "agent/common/result.h"
#include "agent/event/assemble.h"
#include "agent/model/logged_kill.h"
#include "agent/store/event_store.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// The event of a kill that nobody captured, from what the kernel log says of it. Final; its id is
// made of boot, tgid and the log's own time, so that the same line is the same event whenever it is
// read. `context` gives the two clocks of now for the wall time. Pure.
v1::Event AssembleReconstructed(const LoggedKill& kill, const EventContext& context);

// Whether the event (of the same boot as the kill) has a victim that is the one killed: the process
// id, and a time that differs by no more than 2 s and what the log's clock may be off.
bool IsKillOf(const v1::Event& event, uint32_t tgid, uint64_t boottime_ns);

// Was put together from the kernel log, and nothing better is known.
bool IsReconstructed(const v1::Event& event);

// Of `logged`, the kills of this boot that are no event of the store yet; captured or
// reconstructed.
Result<std::vector<LoggedKill>> NotInStore(std::vector<LoggedKill> logged,
                                           const EventContext& context, EventStore& store);

}  // namespace oombox
