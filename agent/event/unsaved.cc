#include "agent/event/unsaved.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "agent/event/undecodable.h"

namespace oombox {

void Unsaved::Add(v1::Event event) {
  auto& events = waiting_.events;
  const auto earlier = std::find_if(events.rbegin(), events.rend(), [&](const v1::Event& other) {
    return other.event_id() == event.event_id();
  });
  if (earlier != events.rend()) {
    *earlier = std::move(event);
  } else {
    events.push_back(std::move(event));
  }
}

// One event that the store does not take must not hold up the others.
void Unsaved::ReplaceRefused(EventStore& store) {
  for (v1::Event& event : waiting_.events) {
    const auto storable = CheckStorable(event);
    if (storable) {
      continue;
    }
    spdlog::error("event {} cannot be stored: {}", event.event_id(), storable.error().message);
    // An earlier revision may be there: then it is a kill still, told with less.
    const bool lost = event.has_oom() && !store.Get(event.event_id());
    waiting_.refused += lost ? 1 : 0;
    event = lost ? GapInsteadOf(event, storable.error().message) : v1::Event();
  }
  std::erase_if(waiting_.events, [](const v1::Event& event) { return event.event_id().empty(); });
}

Result<Unsaved::Saved> Unsaved::Save(EventStore& store) {
  if (waiting_.events.empty() && !cursor_) {
    return Saved{};
  }
  auto put = store.Put(waiting_.events, cursor_);
  if (!put && put.error().code == ErrorCode::kInvalid) {
    ReplaceRefused(store);
    put = store.Put(waiting_.events, cursor_);
  }
  if (!put) {
    return tl::unexpected<Error>(put.error());
  }
  waiting_.cursor = std::exchange(cursor_, std::nullopt);
  return std::exchange(waiting_, {});
}

}  // namespace oombox
