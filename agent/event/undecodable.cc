#include "agent/event/undecodable.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "agent/event/gap.h"

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

v1::Event AssembleUndecodable(const JournalEntry& entry, const std::string& why,
                              const EventContext& context) {
  return AssembleGap({.cause = v1::GapEvent::CAUSE_UNDECODABLE,
                      .start_wall_ns = entry.committed_wall_ns,
                      .end_wall_ns = entry.committed_wall_ns,
                      .count = 1,
                      .detail = why,
                      .key = fmt::format("{}", entry.id)},
                     context);
}

v1::Event GapInsteadOf(const v1::Event& refused, const std::string& reason) {
  const v1::NodeIdentity& node = refused.node();
  const int64_t at = google::protobuf::util::TimeUtil::TimestampToNanoseconds(refused.event_time());
  return AssembleGap({.cause = v1::GapEvent::CAUSE_UNDECODABLE,
                      .start_wall_ns = at,
                      .end_wall_ns = at,
                      .count = std::max<uint64_t>(1, refused.oom().victims_total()),
                      .detail = "an event that cannot be stored: " + reason,
                      .key = refused.event_id()},
                     {.cluster_name = node.cluster_name(),
                      .node_name = node.node_name(),
                      .boot_id = node.boot_id(),
                      .kernel_release = node.kernel_release(),
                      .memory_total_bytes = node.memory_total_bytes(),
                      .replayed = refused.replayed()});
}

}  // namespace oombox
