#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "agent/store/event_store.h"
#include "tools/collector/agent_link.h"
#include "tools/collector/coverage_book.h"
#include "tools/collector/ingest_counts.h"

namespace oombox {

// Brings what the links have queued into the store: one transaction for many agents, so that a
// commit costs one fsync for all of them, then each link acknowledges. Owns one thread from
// construction to Stop (or destruction). Thread-safe. A store that fails ends the streams
// concerned; their agents keep the events and send them again.
class IngestWriter {
 public:
  // `wall_now` gives nanoseconds since the epoch. Store and coverage must outlive the writer.
  IngestWriter(EventStore& store, CoverageBook& coverage, std::function<int64_t()> wall_now);
  ~IngestWriter();

  // The link has something to take. Links are served in turn.
  void Ready(std::shared_ptr<AgentLink> link);
  // Finishes the transaction that is running; what is queued after it stays uncommitted.
  void Stop();

  const IngestCounts& counts() const { return counts_; }

 private:
  void Run(const std::stop_token& stop);
  std::vector<LinkBatch> NextRound(const std::stop_token& stop);
  void Commit(std::vector<LinkBatch> batches);
  // `stored_events` is how many events the store did not have.
  Status StoreEvents(std::vector<LinkBatch>& batches, uint64_t* stored_events);
  Status StoreSingly(std::vector<QueuedEvent*>& queued, std::vector<v1::Event>& events,
                     uint64_t* stored_events);
  void Count(const std::vector<LinkBatch>& batches, IngestCounts::Round round);
  void NoteCommitted(const LinkBatch& batch);
  void StoreReports(std::vector<LinkBatch>& batches);
  void NoteHealth(const Status& status);

  EventStore& store_;
  CoverageBook& coverage_;
  const std::function<int64_t()> wall_now_;
  bool failing_ = false;  // of the thread: the log knows
  IngestCounts counts_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<AgentLink>> ready_;  // each link once:
  std::unordered_set<const AgentLink*> waiting_;  // those in it
  std::jthread thread_;
};

}  // namespace oombox
