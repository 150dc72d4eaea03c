#include "agent/query/coverage_summary.h"

namespace oombox {

namespace {

constexpr int kMaxListed = 20;
constexpr size_t kMaxReasonBytes = 512;

v1::NodeCoverage Incomplete(const v1::NodeStatus& node) {
  v1::NodeCoverage coverage;
  coverage.set_node_name(node.report().node().node_name());
  *coverage.mutable_coverage() = node.coverage();
  // A summary says who is missing; what a node cannot do at all is in its report.
  coverage.mutable_coverage()->clear_unavailable();
  if (coverage.coverage().reason().size() > kMaxReasonBytes) {
    coverage.mutable_coverage()->set_reason("the reason is too long for a summary");
  }
  if (node.has_last_report_age()) {
    *coverage.mutable_last_report_age() = node.last_report_age();
  }
  return coverage;
}

}  // namespace

v1::CoverageSummary SummarizeCoverage(const std::vector<v1::NodeStatus>& nodes) {
  v1::CoverageSummary summary;
  summary.set_nodes_known(static_cast<uint32_t>(nodes.size()));
  uint32_t complete = 0;
  for (const v1::NodeStatus& node : nodes) {
    if (node.coverage().state() == v1::Coverage::STATE_COMPLETE) {
      ++complete;
    } else if (summary.incomplete_nodes_size() < kMaxListed) {
      *summary.add_incomplete_nodes() = Incomplete(node);
    }
  }
  summary.set_nodes_complete(complete);
  return summary;
}

}  // namespace oombox
