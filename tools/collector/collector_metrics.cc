#include "tools/collector/collector_metrics.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "agent/common/metric_list.h"

namespace oombox {

namespace {

double Number(uint64_t value) { return static_cast<double>(value); }

void AddIngest(const IngestCounts::Values& ingest, MetricList& list) {
  list.Counter("oombox_collector_received_events_total",
               "Events taken from the agents' streams: the sum of stored, repeated, rejected and "
               "returned ones.",
               Number(ingest.received));
  list.Counter("oombox_collector_stored_events_total",
               "Events stored: new ones, and higher revisions of those that were there.",
               Number(ingest.stored));
  list.Counter("oombox_collector_repeated_events_total",
               "Events the store had in this revision or a higher one: sent again after a lost "
               "acknowledgement.",
               Number(ingest.repeated));
  list.Counter("oombox_collector_rejected_events_total",
               "Events refused for good; they stay on their node.", Number(ingest.rejected));
  list.Counter("oombox_collector_returned_events_total",
               "Events that could not be stored because the store failed; their agents send them "
               "again.",
               Number(ingest.returned));
  list.Counter("oombox_collector_failed_commits_total", "Transactions that the store failed.",
               Number(ingest.failed_commits));
  list.Counter("oombox_collector_received_reports_total", "Node reports received.",
               Number(ingest.reports));
  list.Histogram("oombox_collector_commit_seconds",
                 "Time of a transaction of events, disk included; failed ones too.",
                 ingest.commit_ns, kNsPerSecond);
  list.Histogram("oombox_collector_commit_events", "Events that share a transaction.",
                 ingest.commit_events, 1);
}

void AddStore(const StoreStats& store, bool moved_aside, MetricList& list) {
  list.Gauge("oombox_collector_store_bytes", "Size of the event store.", Number(store.bytes));
  list.Gauge("oombox_collector_store_events", "Events in the store.", Number(store.events));
  list.Counter("oombox_collector_evicted_events_total",
               "Events removed because they were too old or too much (store-max-age, "
               "store-max-bytes).",
               Number(store.evicted));
  list.Counter("oombox_collector_unreadable_events_total",
               "Stored events whose bytes do not parse: lists and watches leave them out.",
               Number(store.unreadable));
  list.Gauge(
      "oombox_collector_store_moved_aside",
      "1 when this process found its store damaged and began a new one: events that no agent "
      "keeps any more are in the file put aside alone.",
      moved_aside ? 1 : 0);
}

// Sums over the nodes that are heard of and know their kernel's count, as `oombox status` has them.
struct Fleet {
  uint64_t complete = 0;
  uint64_t incomplete = 0;
  uint64_t unknown = 0;
  uint64_t counted = 0;
  uint64_t kernel = 0;
  uint64_t captured = 0;
  uint64_t dropped_ring_full = 0;
  uint64_t dropped_recursion = 0;
  uint64_t double_counted = 0;
  uint64_t gap = 0;
  uint64_t evicted_unacknowledged = 0;
  uint64_t stalled = 0;
  std::array<uint64_t, v1::PressureEvent::State_ARRAYSIZE> containers = {};  // by state

  void Add(const v1::NodeStatus& node);
};

// Agents have told the gap since they tell of their attachment; of others it is what is left over.
uint64_t GapOf(const v1::NodeReport& report) {
  const v1::KillAccounting& a = report.accounting();
  const uint64_t explained =
      a.captured() + a.dropped_ring_full() + a.dropped_recursion() + a.double_counted();
  return report.has_attachment() ? a.gap()
                                 : a.kernel_kills() - std::min(explained, a.kernel_kills());
}

void Fleet::Add(const v1::NodeStatus& node) {
  switch (node.coverage().state()) {
    case v1::Coverage::STATE_COMPLETE:
      ++complete;
      break;
    case v1::Coverage::STATE_INCOMPLETE:
      ++incomplete;
      break;
    default:
      ++unknown;
      return;
  }
  const auto& stages = node.report().stages();
  stalled += std::any_of(stages.begin(), stages.end(),
                         [](const v1::StageHealth& stage) {
                           return stage.state() == v1::StageHealth::STATE_STALLED;
                         })
                 ? 1
                 : 0;
  evicted_unacknowledged += node.report().depths().evicted_unacknowledged();
  for (const v1::ContainerReport& container : node.report().containers()) {
    if (v1::PressureEvent::State_IsValid(container.state())) {  // an agent may be newer than we are
      ++containers[static_cast<size_t>(container.state())];
    }
  }
  const v1::KillAccounting& accounting = node.report().accounting();
  if (!accounting.has_kernel_kills()) {
    return;
  }
  ++counted;
  kernel += accounting.kernel_kills();
  captured += accounting.captured();
  dropped_ring_full += accounting.dropped_ring_full();
  dropped_recursion += accounting.dropped_recursion();
  double_counted += accounting.double_counted();
  gap += GapOf(node.report());
}

// Gauges: a node that reboots, is replaced or falls silent takes its part out of a sum.
void AddFleet(const std::vector<v1::NodeStatus>& nodes, MetricList& list) {
  Fleet fleet;
  for (const v1::NodeStatus& node : nodes) {
    fleet.Add(node);
  }
  const std::string nodes_help = "Nodes by the state of their watch; a silent one is unknown.";
  list.Gauge("oombox_fleet_nodes", nodes_help, Number(fleet.complete), {{"state", "complete"}});
  list.Gauge("oombox_fleet_nodes", nodes_help, Number(fleet.incomplete), {{"state", "incomplete"}});
  list.Gauge("oombox_fleet_nodes", nodes_help, Number(fleet.unknown), {{"state", "unknown"}});
  list.Gauge("oombox_fleet_stalled_nodes", "Nodes with a stage that makes no progress.",
             Number(fleet.stalled));
  list.Gauge(
      "oombox_fleet_counted_nodes",
      "Nodes behind the oombox_fleet_kills sums: heard of, and knowing their kernel's count.",
      Number(fleet.counted));
  list.Gauge("oombox_fleet_kills_kernel",
             "OOM kills the kernels counted since the nodes' programs were attached: the sum of "
             "oombox_fleet_kills_captured, _dropped, _double_counted and _gap.",
             Number(fleet.kernel));
  list.Gauge("oombox_fleet_kills_captured", "OOM kills captured.", Number(fleet.captured));
  const std::string dropped_help = "OOM kills seen and lost, by cause.";
  list.Gauge("oombox_fleet_kills_dropped", dropped_help, Number(fleet.dropped_ring_full),
             {{"cause", "ring_full"}});
  list.Gauge("oombox_fleet_kills_dropped", dropped_help, Number(fleet.dropped_recursion),
             {{"cause", "recursion"}});
  list.Gauge("oombox_fleet_kills_double_counted", "OOM kills the kernels counted twice.",
             Number(fleet.double_counted));
  list.Gauge("oombox_fleet_kills_gap", "OOM kills that nothing explains.", Number(fleet.gap));
  list.Gauge("oombox_fleet_evicted_unacknowledged_events",
             "Events that nodes removed before they were acknowledged.",
             Number(fleet.evicted_unacknowledged));
  const std::string containers_help =
      "Containers, and other memory cgroups with a limit, by the state of their memory.";
  for (const auto& [name, state] : {std::pair("ok", v1::PressureEvent::STATE_OK),
                                    std::pair("warning", v1::PressureEvent::STATE_WARNING),
                                    std::pair("critical", v1::PressureEvent::STATE_CRITICAL)}) {
    list.Gauge("oombox_fleet_containers", containers_help,
               Number(fleet.containers[static_cast<size_t>(state)]), {{"state", name}});
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> CollectorMetrics(const CollectorNumbers& numbers) {
  MetricList list;
  list.Gauge("oombox_build_info", "Always 1; the labels say what runs.", 1,
             {{"component", "oombox-collector"}, {"version", numbers.version}});
  list.Gauge("oombox_collector_connected_agents", "Agents that are connected now.",
             Number(numbers.connected_agents));
  AddIngest(numbers.ingest, list);
  if (numbers.store != nullptr) {
    AddStore(*numbers.store, numbers.store_moved_aside, list);
  }
  for (const CallCounts::Count& count : numbers.calls) {
    list.Counter("oombox_collector_queries_total",
                 "Calls of the query services by method and gRPC status.", Number(count.calls),
                 {{"method", count.method}, {"code", count.code}});
  }
  if (numbers.nodes != nullptr) {
    AddFleet(*numbers.nodes, list);
  }
  return list.Take();
}

}  // namespace oombox
