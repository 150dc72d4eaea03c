#include "agent/event/undecodable.h"

#include <utility>
#include <vector>

namespace oombox {

uint64_t CountUndecodable(EventStore& store, const std::string& boot_id) {
  constexpr size_t kMaxGaps = 1000;
  auto filter = Filter::Parse("kind = gap");
  if (!filter) {
    return 0;
  }
  const auto gaps =
      store.List({.filter = std::move(*filter), .view = v1::EVENT_VIEW_FULL, .limit = kMaxGaps});
  uint64_t count = 0;
  for (const StoredEvent& stored : gaps.value_or(std::vector<StoredEvent>())) {
    if (stored.event.gap().cause() == v1::GapEvent::CAUSE_UNDECODABLE &&
        stored.event.node().boot_id() == boot_id) {
      count += stored.event.gap().count();
    }
  }
  return count;
}

}  // namespace oombox
