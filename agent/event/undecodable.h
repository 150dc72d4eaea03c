#pragma once

#include <cstdint>
#include <string>

#include "agent/event/assemble.h"
#include "agent/store/event_store.h"
#include "agent/store/journal.h"

namespace oombox {

// Records of this boot that could not be decoded, by the gap events stored for them: after a
// restart they are still no kills.
uint64_t CountUndecodable(EventStore& store, const std::string& boot_id);

// What is told of a record that cannot be decoded. Pure.
v1::Event AssembleUndecodable(const JournalEntry& entry, const std::string& why,
                              const EventContext& context);

// What is told of a kill whose event no store takes. Pure.
v1::Event GapInsteadOf(const v1::Event& refused, const std::string& reason);

}  // namespace oombox
