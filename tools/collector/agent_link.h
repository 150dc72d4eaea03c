#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/ingest.pb.h"

namespace oombox {

class AgentLink;

// The stream below a link. Called with the link's lock held: must be quick and must not call back.
class AgentStream {
 public:
  virtual ~AgentStream() = default;
  virtual void Read() = 0;                              // one answer: OnRequest or OnHalfClose
  virtual void Write(v1::IngestResponse response) = 0;  // one at a time; one answer: OnWritten
  virtual void Finish(const Status& status) = 0;        // once, and last
};

// An event of an agent on its way into the store.
struct QueuedEvent {
  uint64_t seq = 0;
  size_t bytes = 0;
  v1::Event event;
  std::string rejection;  // not empty: it is not stored, and why
};

struct QueuedReport {
  size_t bytes = 0;
  v1::NodeReport report;
};

// What the writer takes from one link at a time.
struct LinkBatch {
  std::shared_ptr<AgentLink> link;
  std::vector<QueuedEvent> events;
  std::optional<QueuedReport> report;
};

// Who the links belong to. Thread-safe; never called with a link's lock held.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  // The agent has introduced itself. kExhausted: too many agents.
  virtual Status Admit(const std::shared_ptr<AgentLink>& link) = 0;
  // There is something to take.
  virtual void Ready(const std::shared_ptr<AgentLink>& link) = 0;
  virtual void Answer(const AgentLink& link, const v1::QueryResult& result) = 0;
  virtual void Left(const AgentLink& link) = 0;
};

// Bytes that all links together hold in memory. Above `max` a link that holds events stops reading.
// A report that does not fit below `max_with_reports` is left out: nothing waits for it, and the
// next one says it all again.
struct IngestBudget {
  size_t max = 64u << 20;
  size_t max_with_reports = 128u << 20;
  std::atomic<size_t> used = 0;
};

// The collector's side of one Ingest stream, without gRPC: checks what comes, queues it within
// bounds, acknowledges what the writer has committed. Reading stops while the queue is full, so
// that a slow store slows the agents down. Thread-safe; shared by its stream, the registry and the
// writer.
class AgentLink : public std::enable_shared_from_this<AgentLink> {
 public:
  static constexpr size_t kMaxEvents = 64;
  static constexpr size_t kMaxBytes = 1 << 20;

  AgentLink(LinkOwner& owner, IngestBudget& budget, std::string collector_epoch, std::string peer);

  // From the stream. `stream` must outlive the call of OnDone.
  void OnOpen(AgentStream* stream);
  void OnRequest(v1::IngestRequest request);
  void OnHalfClose();
  void OnWritten();
  void OnDone();

  // From the writer: takes what is queued, then tells what became of it. Events that could not be
  // stored end the stream: the agent sends them again.
  LinkBatch Take();
  void Committed(const LinkBatch& batch);
  void Failed(const LinkBatch& batch, const Error& error);
  // The report of the batch, if it has one, is out of memory, stored or not.
  void ReportDone(const LinkBatch& batch);

  // Sends a question; kUnavailable when the stream is closing, kExhausted when too many wait.
  Status Ask(v1::Query query);
  // Ends the stream with this status; what is not committed is forgotten (the agent has it).
  void Close(Status status);

  // Of the hello; fixed before the owner learns of the link.
  const v1::NodeIdentity& node() const { return node_; }
  const std::string& store_epoch() const { return store_epoch_; }
  const std::string& agent_version() const { return agent_version_; }
  const std::string& peer() const { return peer_; }

 private:
  Status Handle(v1::IngestRequest request);
  Status HandleHello(v1::IngestRequest request);
  Status HandleEvent(v1::EventEnvelope envelope);
  Status HandleReport(v1::NodeReport report);
  Status HandleQueryResult(const v1::QueryResult& result);
  // With the lock held:
  void LeaveOut(std::string_view why);  // a report; tells it once
  void GoOn();                          // writes, finishes, reads, whatever is due
  bool HasRoom() const;
  void Hold(size_t bytes);
  void GiveBack(size_t bytes);
  void Release(const QueuedEvent& queued);
  void Forget();  // drops what is queued
  void CloseLocked(Status status);

  LinkOwner& owner_;
  IngestBudget& budget_;
  const std::string collector_epoch_;
  const std::string peer_;
  v1::NodeIdentity node_;
  std::string agent_version_;
  std::string store_epoch_;

  std::mutex mutex_;
  AgentStream* stream_ = nullptr;  // null before OnOpen and after OnDone
  bool introduced_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool half_closed_ = false;
  bool finished_ = false;
  std::optional<Status> closing_;
  uint64_t last_seq_ = 0;
  std::deque<QueuedEvent> queue_;
  bool left_out_told_ = false;
  std::optional<QueuedReport> report_;  // the latest, until the writer takes it
  size_t held_events_ = 0;              // queued and being committed
  size_t held_bytes_ = 0;               // of these, and of reports until they are stored
  std::optional<v1::Ack> ack_;          // not sent yet
  std::deque<v1::Query> queries_;
};

}  // namespace oombox
