#pragma once

#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/store/event_store.h"

namespace oombox {

// What an earlier run left: events that it stored as not final and could not close, and those it
// put together from the kernel log.
struct Unfinished {
  std::vector<v1::Event> open;
  std::vector<v1::Event> reconstructed;
};

// Looks through the newest events of the node; bounded.
Result<Unfinished> FindUnfinished(EventStore& store, const std::string& node_name);

// A row that is there but damaged can never be gone on with: for the case it is not there.
Result<std::optional<v1::Event>> FindEvent(EventStore& store, const std::string& id);

}  // namespace oombox
