#include "tools/oombox/fold.h"

#include <map>
#include <string>
#include <tuple>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

// cluster, node (empty where the workload spans nodes), workload, recorded.
using Key = std::tuple<std::string, std::string, std::string, bool>;

Key KeyOf(const v1::Event& event) {
  const bool owned = !event.oom().container().owner().empty();
  return {event.node().cluster_name(), owned ? "" : event.node().node_name(),
          event.oom().workload(), event.replayed()};
}

}  // namespace

std::vector<EventGroup> FoldEvents(const std::vector<v1::Event>& events, Folding folding) {
  std::vector<EventGroup> groups;
  std::map<Key, size_t> seen;
  for (const v1::Event& event : events) {
    const int64_t time_ns = ToNs(event.event_time());
    if (folding == Folding::kByWorkload && event.has_oom() && !event.oom().workload().empty()) {
      const auto [found, is_new] = seen.try_emplace(KeyOf(event), groups.size());
      if (!is_new) {
        EventGroup& group = groups[found->second];
        ++group.kills;
        group.oldest_ns = std::min(group.oldest_ns, time_ns);
        continue;
      }
    }
    groups.push_back({&event, 1, time_ns});
  }
  return groups;
}

}  // namespace oombox
