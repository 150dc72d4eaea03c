#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/common/metrics_server.h"
#include "agent/memory_metrics.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// A node's report as Prometheus has it (docs/operations.md lists the families). Pure. What the
// report does not know is no sample, never a zero. Containers have the labels of `labels`, and no
// more series than kMaxContainerSeries.
std::vector<prometheus::MetricFamily> NodeMetrics(const v1::NodeReport& report,
                                                  const LabelNames& labels,
                                                  const std::vector<KillTally::Series>& kills);

struct MetricsSources {
  std::function<v1::NodeReport()> report;
  std::shared_ptr<const KillTally> kills;
  LabelNames labels;
};
// Serves NodeMetrics of a fresh report on `address`, as MetricsServer says.
Result<std::unique_ptr<MetricsServer>> ServeNodeMetrics(const std::string& address,
                                                        MetricsSources sources);

}  // namespace oombox
