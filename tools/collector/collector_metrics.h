#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "agent/query/call_counts.h"
#include "agent/store/event_store.h"
#include "oombox/v1/query.pb.h"
#include "tools/collector/ingest_counts.h"

namespace oombox {

// What a scrape is made of. A part that could not be read is null and has no samples.
struct CollectorNumbers {
  std::string version;
  size_t connected_agents = 0;
  IngestCounts::Values ingest;
  const StoreStats* store = nullptr;
  bool store_moved_aside = false;
  const std::vector<v1::NodeStatus>* nodes = nullptr;
  std::vector<CallCounts::Count> calls;
};

// The collector and the sums over its nodes (docs/operations.md lists the families). Pure. No
// series per node: two thousand nodes with thirty families each would be sixty thousand series that
// every agent serves itself already, with the node as its scrape target's name.
std::vector<prometheus::MetricFamily> CollectorMetrics(const CollectorNumbers& numbers);

}  // namespace oombox
