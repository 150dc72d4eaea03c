#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/store/event_store.h"
#include "tools/collector/agent_link.h"
#include "tools/collector/agent_registry.h"
#include "tools/collector/coverage_book.h"
#include "tools/collector/ingest_writer.h"
#include "tools/collector/live_queries.h"

namespace oombox {

// Where the links of all agents come together: who is connected, who waits for an answer, who
// writes. Must outlive the gRPC server whose streams it serves. Thread-safe.
class IngestHub final : public LinkOwner {
 public:
  struct Options {
    size_t max_agents = 2500;
    std::function<int64_t()> wall_now;  // nanoseconds since the epoch
  };

  IngestHub(EventStore& store, const Options& options);

  // Before anything is served: the nodes that reported to an earlier process. Without them a list
  // would call itself complete although most of the nodes have not come back yet.
  Status LoadReports(EventStore& store);

  // A stream has opened; `peer` is for the log. kExhausted: too many, even of those that have not
  // introduced themselves.
  Result<std::shared_ptr<AgentLink>> OpenLink(const std::string& peer);
  // Ends all streams, takes no new ones and commits nothing more.
  void Stop();

  const AgentRegistry& registry() const { return registry_; }
  LiveQueries& queries() { return queries_; }
  CoverageBook& coverage() { return coverage_; }
  const IngestCounts& counts() const { return writer_.counts(); }

  Status Admit(const std::shared_ptr<AgentLink>& link) override;
  void Ready(const std::shared_ptr<AgentLink>& link) override;
  void Answer(const AgentLink& link, const v1::QueryResult& result) override;
  void Left(const AgentLink& link) override;

 private:
  const std::string collector_epoch_;
  const size_t max_streams_;
  std::atomic<size_t> streams_ = 0;
  std::atomic<bool> stopping_ = false;
  IngestBudget budget_;
  AgentRegistry registry_;
  LiveQueries queries_;
  CoverageBook coverage_;
  IngestWriter writer_;
};

}  // namespace oombox
