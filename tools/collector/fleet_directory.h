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
// said. Thread-safe; store and hub must outlive it.
class FleetDirectory final : public NodeDirectory {
 public:
  static constexpr std::chrono::seconds kMaxReportAge{30};

  FleetDirectory(EventStore& store, IngestHub& hub, std::function<int64_t()> wall_now);

  Result<std::vector<v1::NodeStatus>> Nodes() override;
  Result<v1::NodeReport> FreshReport(const std::string& node_name,
                                     std::chrono::milliseconds timeout) override;

 private:
  Result<std::string> OnlyNode();
  Status ExplainAbsence(const std::string& node_name);

  EventStore& store_;
  IngestHub& hub_;
  const std::function<int64_t()> wall_now_;
};

// What a report received `age_ns` ago says of its node's coverage now. Pure.
v1::Coverage CoverageNow(const v1::NodeReport& report, int64_t age_ns);

}  // namespace oombox
