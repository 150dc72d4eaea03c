#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/common/result.h"
#include "agent/store/event_store.h"
#include "agent/uplink/window.h"
#include "oombox/v1/ingest.pb.h"

namespace oombox {

// What the uplink has done since it started.
struct DeliveryCounts {
  uint64_t sent = 0;          // events written to a stream, repetitions included
  uint64_t acknowledged = 0;  // of them, committed by a collector
  uint64_t rejected = 0;      // refused for good by a collector, or too big to be sent
};

// The agent's side of one Ingest stream, without the stream: what to say next, what an answer
// means. It begins with Hello; nothing else is said until the collector's first Ack tells whose
// store it is, because what another store has acknowledged must be sent again. Used by one thread;
// every error ends the stream, which is then tried again.
class Session {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    v1::NodeIdentity node;
    std::string agent_version;
    std::function<v1::NodeReport()> report;  // called every `report_interval` and when asked
    std::chrono::seconds report_interval{10};
    std::chrono::seconds greeting_timeout{20};
    std::chrono::seconds ack_timeout{60};  // without any progress while events are in flight
    Window::Limits window;
  };

  // All must outlive the session.
  Session(EventStore& store, const Options& options, DeliveryCounts& counts, Clock::time_point now);

  // What to send now; none when there is nothing to say.
  Result<std::optional<v1::IngestRequest>> Next(Clock::time_point now);
  // False while answers wait to be sent: Next first.
  bool CanReceive() const;
  Status Receive(const v1::IngestResponse& response, Clock::time_point now);

  // The greeting or an acknowledgement is overdue.
  Status CheckOverdue(Clock::time_point now) const;
  // When to look again although nothing happened; `can_send`: a message could go.
  Clock::time_point Deadline(bool can_send) const;

  bool greeted() const { return window_.has_value(); }
  bool progressed() const { return progressed_; }
  size_t in_flight() const { return window_ ? window_->in_flight() : 0; }

 private:
  Result<std::optional<v1::IngestRequest>> MakeHello();
  Result<std::optional<v1::IngestRequest>> NextEvent();
  Status OnAck(const v1::Ack& ack, Clock::time_point now);
  Status Greet(const v1::Ack& ack, Clock::time_point now);
  Status CheckAck(const v1::Ack& ack) const;
  Status OnQuery(const v1::Query& query);
  void NoteRejected(const v1::Ack& ack);
  Status Persist();

  EventStore& store_;
  const Options& options_;
  DeliveryCounts& counts_;
  const Clock::time_point greeting_deadline_;
  Clock::time_point next_report_;
  Clock::time_point waiting_since_;  // for an acknowledgement, while something is in flight
  bool hello_made_ = false;
  bool progressed_ = false;
  std::string collector_epoch_;
  uint64_t persisted_ = 0;                                 // acknowledged, in the store
  std::optional<Window> window_;                           // from the greeting on
  std::vector<std::pair<uint64_t, std::string>> refused_;  // seq, id: for the store to note
  std::deque<StoredEvent> read_;                           // read from the store and not sent yet
  std::deque<v1::QueryResult> replies_;
};

}  // namespace oombox
