#pragma once

#include <vector>

#include "agent/common/metric_list.h"
#include "agent/kill_tally.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// No more containers than these have series, the nearest to their limit first.
inline constexpr int kMaxContainerSeries = 1000;

// The memory of containers and of the node, and the watch over it. Containers that have the same
// labels (the setting leaves some out) are one series: bytes are sums, states the highest; a limit
// only when all have one, counters only when the labels tell containers apart.
void AddMemoryMetrics(const v1::NodeReport& report, const LabelNames& labels, MetricList& list);

// OOM events by whose they were.
void AddKillMetrics(const std::vector<KillTally::Series>& kills, MetricList& list);

}  // namespace oombox
