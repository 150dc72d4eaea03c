#include "agent/event/recover.h"

#include <utility>

#include "agent/event/reconstruct.h"

namespace oombox {

namespace {

constexpr size_t kMaxEvents = 2000;
constexpr size_t kPage = 100;
constexpr size_t kPageBytes = 1u << 20;

}  // namespace

Result<Unfinished> FindUnfinished(EventStore& store, const std::string& node_name) {
  OOMBOX_TRY(Filter kills, Filter::Parse("kind = oom OR kind = no_kill"));
  ListQuery query{.filter = std::move(kills),
                  .view = v1::EVENT_VIEW_FULL,
                  .limit = kPage,
                  .max_bytes = kPageBytes};
  Unfinished found;
  for (size_t seen = 0; seen < kMaxEvents;) {
    auto page = store.List(query);
    if (!page && page.error().code != ErrorCode::kCorrupt) {
      return tl::unexpected<Error>(page.error());
    }
    if (!page || page->empty()) {
      break;
    }
    seen += page->size();
    query.before_time_ns = AttributesOf(page->back().event).time_ns;
    query.before_seq = page->back().seq;
    for (StoredEvent& stored : *page) {
      if (stored.event.node().node_name() != node_name) {
        continue;
      }
      if (IsReconstructed(stored.event)) {
        found.reconstructed.push_back(std::move(stored.event));
      } else if (!stored.event.final()) {
        found.open.push_back(std::move(stored.event));
      }
    }
  }
  return found;
}

Result<std::optional<v1::Event>> FindEvent(EventStore& store, const std::string& id) {
  auto found = store.Get(id);
  if (found) {
    return std::optional(std::move(found->event));
  }
  if (found.error().code == ErrorCode::kNotFound || found.error().code == ErrorCode::kCorrupt) {
    return std::optional<v1::Event>();
  }
  return tl::unexpected<Error>(found.error());
}

}  // namespace oombox
