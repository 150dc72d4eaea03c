#include "agent/query/coverage_summary.h"

#include <google/protobuf/util/time_util.h>

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

constexpr int kMaxListed = 20;
constexpr size_t kMaxReasonBytes = 512;

v1::NodeCoverage Incomplete(const std::string& node_name, const v1::Coverage& coverage,
                            const google::protobuf::Duration* report_age) {
  v1::NodeCoverage incomplete;
  incomplete.set_node_name(node_name);
  *incomplete.mutable_coverage() = coverage;
  // A summary says who is missing; what a node cannot do at all is in its report.
  incomplete.mutable_coverage()->clear_unavailable();
  if (coverage.reason().size() > kMaxReasonBytes) {
    incomplete.mutable_coverage()->set_reason("the reason is too long for a summary");
  }
  if (report_age != nullptr) {
    *incomplete.mutable_last_report_age() = *report_age;
  }
  return incomplete;
}

}  // namespace

void NoteRemoved(const google::protobuf::Timestamp& until, v1::CoverageSummary* summary) {
  // An agent may say anything, and a summary with an impossible time cannot be printed.
  const bool possible = until.seconds() <= TimeUtil::kTimestampMaxSeconds && until.nanos() >= 0 &&
                        until.nanos() < 1'000'000'000;
  if (possible && until > summary->removed_until()) {
    *summary->mutable_removed_until() = until;
  }
}

void AddToSummary(const std::string& node_name, const v1::Coverage& coverage,
                  const google::protobuf::Duration* report_age, v1::CoverageSummary* summary) {
  summary->set_nodes_known(summary->nodes_known() + 1);
  if (coverage.has_removed_until()) {
    NoteRemoved(coverage.removed_until(), summary);
  }
  if (coverage.state() == v1::Coverage::STATE_COMPLETE) {
    summary->set_nodes_complete(summary->nodes_complete() + 1);
  } else if (summary->incomplete_nodes_size() < kMaxListed) {
    *summary->add_incomplete_nodes() = Incomplete(node_name, coverage, report_age);
  }
}

v1::CoverageSummary SummarizeCoverage(const std::vector<v1::NodeStatus>& nodes) {
  v1::CoverageSummary summary;
  for (const v1::NodeStatus& node : nodes) {
    AddToSummary(node.report().node().node_name(), node.coverage(),
                 node.has_last_report_age() ? &node.last_report_age() : nullptr, &summary);
  }
  return summary;
}

}  // namespace oombox
