#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/common/metrics_server.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// A node's report as Prometheus has it (docs/operations.md lists the families). Pure. What the
// report does not know is no sample, never a zero. Labels are few and bounded: containers, whose
// number is not, are left to the exporters that have them anyway.
std::vector<prometheus::MetricFamily> NodeMetrics(const v1::NodeReport& report);

// Serves NodeMetrics of a fresh report on `address`, as MetricsServer says.
Result<std::unique_ptr<MetricsServer>> ServeNodeMetrics(const std::string& address,
                                                        std::function<v1::NodeReport()> report);

}  // namespace oombox
