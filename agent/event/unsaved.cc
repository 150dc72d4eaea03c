#include "agent/event/unsaved.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>
#include <utility>

#include "agent/event/undecodable.h"

namespace oombox {

namespace {

bool IsMissing(EventStore& store, const std::string& id) {
  const auto found = store.Get(id);
  return !found && found.error().code == ErrorCode::kNotFound;
}

}  // namespace

void Unsaved::Add(v1::Event event) {
  if (event.revision() == 1) {
    waiting_.begun.insert(event.event_id());
  }
  auto& events = waiting_.events;
  const auto earlier = std::find_if(events.rbegin(), events.rend(), [&](const v1::Event& other) {
    return other.event_id() == event.event_id();
  });
  if (earlier == events.rend()) {
    events.push_back(std::move(event));
  } else if (earlier->revision() <= event.revision()) {
    *earlier = std::move(event);
  }
}

const v1::Event* Unsaved::Find(std::string_view event_id) const {
  const auto found =
      std::find_if(waiting_.events.rbegin(), waiting_.events.rend(),
                   [&](const v1::Event& event) { return event.event_id() == event_id; });
  return found != waiting_.events.rend() ? &*found : nullptr;
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
    if (!event.has_oom() || !IsMissing(store, event.event_id())) {
      event.Clear();
      continue;
    }
    event = GapInsteadOf(event, storable.error().message);
    waiting_.refused += IsMissing(store, event.event_id()) ? event.gap().count() : 0;
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
