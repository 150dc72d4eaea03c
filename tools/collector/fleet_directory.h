#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/query/node_directory.h"
#include "agent/store/event_store.h"
#include "tools/collector/ingest_hub.h"

namespace oombox {

// The nodes of a cluster: their stored reports, and whether an agent of theirs is connected. A
// report that is older than three intervals vouches for nothing: such a node is UNKNOWN whatever it
// said. One that stays silent for `forget_after` is gone for good and left out; silence counts only
// while this collector was there to listen. Thread-safe; store and hub must outlive it.
class FleetDirectory final : public NodeDirectory {
 public:
  static constexpr std::chrono::seconds kMaxReportAge{30};

  FleetDirectory(EventStore& store, IngestHub& hub, std::function<int64_t()> wall_now,
                 std::chrono::seconds forget_after = std::chrono::hours(24));

  Result<std::vector<v1::NodeStatus>> Nodes() override;
  Result<v1::CoverageSummary> Summary() override;
  Result<v1::NodeReport> FreshReport(const std::string& node_name,
                                     std::chrono::milliseconds timeout) override;

  // Removes the reports of the nodes that are gone for good; their events stay.
  Status Forget();

 private:
  // Reports received before this are of nodes that are gone; none are while it is in the past of
  // everything.
  int64_t ForgottenBefore(int64_t now_ns) const;
  Result<std::string> OnlyNode();
  Status ExplainAbsence(const std::string& node_name);

  EventStore& store_;
  IngestHub& hub_;
  const std::function<int64_t()> wall_now_;
  const int64_t forget_after_ns_;
  const int64_t start_ns_;
};

// What the coverage of a report received `age_ns` ago says of its node now. Pure.
v1::Coverage CoverageNow(const v1::Coverage& reported, int64_t age_ns);

}  // namespace oombox
