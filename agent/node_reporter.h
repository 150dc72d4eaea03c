#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/accounting.h"
#include "agent/capture/capture.h"
#include "agent/event/event_stage.h"
#include "agent/query/node_directory.h"
#include "agent/store/event_store.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// What this node says of itself: made anew for whoever asks, and looked at every 10 s to find kills
// that the kernel counted and we did not see, and kills the full ring dropped: each becomes a gap
// event. Owns one thread. Report, Nodes and FreshReport are thread-safe.
class NodeReporter final : public NodeDirectory {
 public:
  static constexpr std::chrono::seconds kInterval{10};

  struct Sources {
    v1::NodeIdentity identity;
    JournalSession session;
    const KillProbe* probe;  // null when replaying
    const Capture* capture;  // null when replaying
    EventStage* events;
    Journal* journal;
    EventStore* store;
    std::string last_seen_path;  // agent/last_seen.h; written while both counts agree
    std::optional<uint64_t> kernel_kills_at_attach;
    uint64_t seen_at_attach = 0;
    std::function<std::string()> collector;  // address connected to, "" when none
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
  void ReportGaps(const KillCounts& counts);
  void RememberAgreement();
  void FillCoverage(v1::NodeReport& report) const;
  void FillAccounting(v1::NodeReport& report) const;
  void FillDepths(v1::NodeReport& report) const;

  const Sources sources_;
  const int64_t start_wall_ns_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  Accounting accounting_;
  KillCounts counts_;            // of the last tick
  uint64_t gaps_reported_ = 0;   // kills already told as CAUSE_UNEXPLAINED
  uint64_t drops_reported_ = 0;  // kills already told as CAUSE_RING_FULL
  int64_t last_tick_wall_ns_;
  bool last_seen_failing_ = false;  // the log knows
  std::jthread thread_;
};

}  // namespace oombox
