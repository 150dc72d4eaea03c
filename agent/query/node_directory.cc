#include "agent/query/node_directory.h"

#include "agent/query/coverage_summary.h"

namespace oombox {

Result<v1::CoverageSummary> NodeDirectory::Summary() {
  OOMBOX_TRY(const std::vector<v1::NodeStatus> nodes, Nodes());
  return SummarizeCoverage(nodes);
}

}  // namespace oombox
