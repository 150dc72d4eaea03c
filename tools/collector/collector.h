#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/common/clock.h"
#include "agent/common/metrics_server.h"
#include "agent/common/result.h"
#include "agent/common/state_dir.h"
#include "agent/query/query_server.h"
#include "agent/store/event_store.h"
#include "tools/collector/config.h"
#include "tools/collector/fleet_directory.h"
#include "tools/collector/ingest_hub.h"
#include "tools/collector/ingest_service.h"

namespace oombox {

// The composition root: owns store, ingest and server in the order of the flow. Serves from Start
// until destruction, which tells the agents, commits the transaction that is running and takes some
// seconds at most.
class Collector {
 public:
  // kInvalid: the configuration cannot work. kPermission: state folder or address cannot be used.
  // kUnavailable: somebody else has them.
  static Result<std::unique_ptr<Collector>> Start(const CollectorConfig& config);
  ~Collector();

  // Removes what is too old or too much, and nodes that are gone; the owner calls it every minute.
  void Retain();
  // The store was found damaged while in use.
  bool damaged() const { return store_->damaged(); }

  // The port behind each address of the configuration.
  const std::vector<int>& ports() const { return server_->ports(); }

 private:
  Collector(StateDir state_dir, std::unique_ptr<EventStore> store, const CollectorConfig& config);
  Status StartMetrics(const std::string& address);
  std::vector<prometheus::MetricFamily> Metrics();

  const StateDir state_dir_;
  const std::unique_ptr<EventStore> store_;
  const UnsetWallClock report_clock_;  // of when reports came in
  IngestHub hub_;
  FleetDirectory directory_;
  IngestService ingest_;
  CallCounts call_counts_;
  std::unique_ptr<QueryServer> server_;
  std::unique_ptr<MetricsServer> metrics_;  // null when not wanted
  bool retain_failing_ = false;
};

}  // namespace oombox
