#include "tools/oombox/explain_saved.h"

#include <algorithm>

#include "agent/diagnose/diagnose.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

WorkloadHistory HistoryOf(const v1::Event& event, std::span<const v1::Event> all) {
  WorkloadHistory history;
  if (event.oom().workload().empty()) {
    return history;
  }
  history.first_time_ns = ToNs(event.event_time());
  // What has an owner is the same workload on every node.
  const bool owned = !event.oom().container().owner().empty();
  for (const v1::Event& other : all) {
    if (other.oom().superseded_by().empty() && other.oom().workload() == event.oom().workload() &&
        (other.node().node_name() == event.node().node_name() || owned) &&
        other.node().cluster_name() == event.node().cluster_name()) {
      ++history.kills;
      history.first_time_ns = std::min(history.first_time_ns, ToNs(other.event_time()));
    }
  }
  return history;
}

}  // namespace

v1::ExplainEventResponse ExplainSaved(const v1::Event& event, std::span<const v1::Event> all) {
  v1::ExplainEventResponse response;
  *response.mutable_event() = event;
  *response.mutable_diagnosis() = Diagnose(event, HistoryOf(event, all));
  return response;
}

}  // namespace oombox
