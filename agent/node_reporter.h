#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/capture.h"
#include "agent/event/event_stage.h"
#include "agent/file_stats.h"
#include "agent/query/node_directory.h"
#include "agent/reconciler.h"
#include "agent/store/event_store.h"
#include "agent/uplink/uplink.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// What this node says of itself, made anew for whoever asks. Every 10 s it has the reconciler look
// for kills that are missing, and store and journal remove what is too old. Owns one thread.
// Report, Nodes and FreshReport are thread-safe.
class NodeReporter final : public NodeDirectory {
 public:
  static constexpr std::chrono::seconds kInterval{10};

  struct Sources {
    v1::NodeIdentity identity;
    // What the machine does not give, beside what the probe misses.
    std::vector<MissingFeature> missing;
    // Null when replaying: these three go together.
    const KillProbe* probe;
    const Capture* capture;
    Reconciler* reconciler;
    EventStage* events;
    EventStore* store;
    FileStatsReader* files;
    // Adds the node's containers; null when replaying.
    std::function<void(v1::NodeReport&)> containers;
    // Nothing without a collector.
    std::function<std::optional<UplinkStatus>()> uplink;
    bool has_collector = false;
  };

  explicit NodeReporter(Sources sources);
  ~NodeReporter() override;

  v1::NodeReport Report();

  Result<std::vector<v1::NodeStatus>> Nodes() override;
  Result<v1::NodeReport> FreshReport(const std::string& node_name,
                                     std::chrono::milliseconds timeout) override;

 private:
  void Run(const std::stop_token& stop);
  void Tick();

  const Sources sources_;
  const int64_t start_wall_ns_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace oombox
