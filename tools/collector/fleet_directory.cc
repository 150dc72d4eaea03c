#include "tools/collector/fleet_directory.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "agent/query/coverage_summary.h"

namespace oombox {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

std::pair<std::string, std::string> KeyOf(const v1::NodeIdentity& node) {
  return {node.cluster_name(), node.node_name()};
}

v1::Coverage Unknown(std::string reason) {
  v1::Coverage coverage;
  coverage.set_state(v1::Coverage::STATE_UNKNOWN);
  coverage.set_reason(std::move(reason));
  return coverage;
}

std::string AgeText(int64_t seconds) {
  if (seconds < 120) {
    return fmt::format("{} s", seconds);
  }
  if (seconds < 7200) {
    return fmt::format("{} min", seconds / 60);
  }
  return fmt::format("{} h", seconds / 3600);
}

google::protobuf::Duration AgeOf(int64_t age_ns) {
  google::protobuf::Duration age;
  age.set_seconds(std::max<int64_t>(age_ns, 0) / kNsPerSecond);
  age.set_nanos(static_cast<int32_t>(std::max<int64_t>(age_ns, 0) % kNsPerSecond));
  return age;
}

constexpr const char* kNoReportYet = "connected, but no report yet";

}  // namespace

v1::Coverage CoverageNow(const v1::Coverage& reported, int64_t age_ns) {
  v1::Coverage now = reported;
  if (age_ns < 0) {
    now = Unknown("the collector's clock was set back since the last report");
  } else if (age_ns > std::chrono::nanoseconds(FleetDirectory::kMaxReportAge).count()) {
    now = Unknown(fmt::format("no report for {}", AgeText(age_ns / kNsPerSecond)));
  } else if (reported.state() == v1::Coverage::STATE_UNSPECIFIED) {
    now = Unknown("the report says nothing of its coverage");
  }
  if (reported.has_removed_until()) {  // also when it is silent
    *now.mutable_removed_until() = reported.removed_until();
  }
  return now;
}

FleetDirectory::FleetDirectory(EventStore& store, IngestHub& hub, std::function<int64_t()> wall_now,
                               std::chrono::seconds forget_after)
    : store_(store),
      hub_(hub),
      wall_now_(std::move(wall_now)),
      forget_after_ns_(forget_after.count() * kNsPerSecond),
      start_ns_(wall_now_()) {}

int64_t FleetDirectory::ForgottenBefore(int64_t now_ns) const {
  return now_ns - start_ns_ > forget_after_ns_ ? now_ns - forget_after_ns_
                                               : std::numeric_limits<int64_t>::min();
}

Status FleetDirectory::Forget() {
  const int64_t before_ns = ForgottenBefore(wall_now_());
  OOMBOX_RETURN_IF_ERROR(store_.ForgetReports(before_ns));
  hub_.coverage().Forget(before_ns);
  return {};
}

Result<v1::CoverageSummary> FleetDirectory::Summary() {
  const int64_t now_ns = wall_now_();
  const int64_t forgotten_before_ns = ForgottenBefore(now_ns);
  v1::CoverageSummary summary;
  hub_.coverage().ForEach(
      [&](const CoverageBook::Key& key, const v1::Coverage& here, int64_t received_wall_ns) {
        if (received_wall_ns >= forgotten_before_ns) {
          const auto age = AgeOf(now_ns - received_wall_ns);
          AddToSummary(key.second, CoverageNow(here, now_ns - received_wall_ns), &age, &summary);
        }
      });
  for (const auto& link : hub_.registry().All()) {
    if (!hub_.coverage().Contains(KeyOf(link->node()))) {
      AddToSummary(link->node().node_name(), Unknown(kNoReportYet), nullptr, &summary);
    }
  }
  return summary;
}

Result<std::vector<v1::NodeStatus>> FleetDirectory::Nodes() {
  OOMBOX_TRY(auto reports, store_.Reports());
  const int64_t now_ns = wall_now_();
  const int64_t forgotten_before_ns = ForgottenBefore(now_ns);
  std::set<std::pair<std::string, std::string>> reported;
  std::vector<v1::NodeStatus> nodes;
  for (auto& stored : reports) {
    if (stored.received_wall_ns < forgotten_before_ns) {
      continue;
    }
    const int64_t age_ns = now_ns - stored.received_wall_ns;
    reported.insert(KeyOf(stored.report.node()));
    v1::NodeStatus& status = nodes.emplace_back();
    status.set_connected(hub_.registry().Connected(stored.report.node()));
    *status.mutable_last_report_age() = AgeOf(age_ns);
    // As lists have it: a report is in the store a moment before it is in the book.
    auto here = hub_.coverage().Find(KeyOf(stored.report.node()));
    if (here) {  // the book keeps no lists
      *here->mutable_unavailable() = stored.report.coverage().unavailable();
    }
    *status.mutable_coverage() = here ? CoverageNow(*here, age_ns) : Unknown(kNoReportYet);
    *status.mutable_report() = std::move(stored.report);
  }
  for (const auto& link : hub_.registry().All()) {
    if (!reported.contains(KeyOf(link->node()))) {
      v1::NodeStatus& status = nodes.emplace_back();
      status.set_connected(true);
      *status.mutable_report()->mutable_node() = link->node();
      *status.mutable_coverage() = Unknown(kNoReportYet);
    }
  }
  return nodes;
}

Result<v1::NodeReport> FleetDirectory::FreshReport(const std::string& node_name,
                                                   std::chrono::milliseconds timeout) {
  std::string name = node_name;
  if (name.empty()) {
    OOMBOX_TRY(name, OnlyNode());
  }
  const auto link = hub_.registry().Find(name);
  if (!link) {
    if (link.error().code == ErrorCode::kNotFound) {
      OOMBOX_RETURN_IF_ERROR(ExplainAbsence(name));
    }
    return tl::unexpected<Error>(link.error());
  }
  return hub_.queries().AskReport(**link, timeout);
}

Result<std::string> FleetDirectory::OnlyNode() {
  OOMBOX_TRY(const auto nodes, Nodes());
  if (nodes.empty()) {
    return MakeError(ErrorCode::kNotFound, "no node has ever reported to this collector");
  }
  if (nodes.size() > 1) {
    return MakeError(ErrorCode::kInvalid, "there are {} nodes: name one", nodes.size());
  }
  return nodes.front().report().node().node_name();
}

// A node that is known and silent is unavailable; one that never reported is not found.
Status FleetDirectory::ExplainAbsence(const std::string& node_name) {
  OOMBOX_TRY(const auto nodes, Nodes());
  for (const v1::NodeStatus& status : nodes) {
    if (status.report().node().node_name() == node_name) {
      return MakeError(ErrorCode::kUnavailable,
                       "node {} is not connected; its last report is {} old", node_name,
                       AgeText(status.last_report_age().seconds()));
    }
  }
  return MakeError(ErrorCode::kNotFound, "no node {} has ever reported to this collector",
                   node_name);
}

}  // namespace oombox
