#pragma once

#include <cstdint>
#include <string>

#include "agent/event/assemble.h"
#include "agent/store/journal.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

// What every event has around its body: revision 1, the node, the view.
void FillEnvelope(const EventContext& context, v1::Event& event);

// Of a run of the agent; the times of the commit are the caller's to add.
EventContext ContextOf(const JournalSession& session, const std::string& cluster_name,
                       const std::string& node_name, bool replayed);

// From the mark to the commit. Bytes of a damaged journal may say anything: never more than a year.
int64_t AgeNs(uint64_t boottime_ns, const EventContext& context);

// When the record's happening was, on both clocks.
void FillTime(uint64_t boottime_ns, const EventContext& context, v1::Event& event);

}  // namespace oombox
