#include "agent/uplink/session.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "agent/common/text.h"

namespace oombox {

namespace {

// Few: an event may have 256 KiB, and the agent has little memory.
constexpr size_t kReadAhead = 8;
constexpr size_t kMaxReplies = 8;
constexpr size_t kMaxEpochBytes = 64;
constexpr size_t kMaxVersionBytes = 64;
constexpr int kMaxLoggedRejections = 10;
constexpr size_t kMaxLoggedBytes = 256;

std::string Printable(const std::string& text) {
  return EscapeUntrusted(text.substr(0, kMaxLoggedBytes));
}

}  // namespace

Session::Session(EventStore& store, const Options& options, DeliveryCounts& counts,
                 Clock::time_point now)
    : store_(store),
      options_(options),
      counts_(counts),
      greeting_deadline_(now + options.greeting_timeout),
      next_report_(now),
      waiting_since_(now) {}

bool Session::CanReceive() const { return replies_.size() < kMaxReplies; }

Session::Clock::time_point Session::Deadline(bool can_send) const {
  if (!greeted()) {
    return greeting_deadline_;
  }
  const auto next = can_send ? next_report_ : Clock::time_point::max();
  return in_flight() > 0 ? std::min(next, waiting_since_ + options_.ack_timeout) : next;
}

Status Session::CheckOverdue(Clock::time_point now) const {
  if (!greeted() && now >= greeting_deadline_) {
    return MakeError(ErrorCode::kUnavailable, "no answer within {} s",
                     options_.greeting_timeout.count());
  }
  if (in_flight() > 0 && now >= waiting_since_ + options_.ack_timeout) {
    return MakeError(ErrorCode::kUnavailable, "nothing was acknowledged for {} s",
                     options_.ack_timeout.count());
  }
  return {};
}

Result<std::optional<v1::IngestRequest>> Session::Next(Clock::time_point now) {
  if (!hello_made_) {
    return MakeHello();
  }
  if (!greeted()) {
    return std::nullopt;
  }
  if (!replies_.empty()) {
    v1::IngestRequest request;
    *request.mutable_query_result() = std::move(replies_.front());
    replies_.pop_front();
    return request;
  }
  if (now >= next_report_) {
    next_report_ = now + options_.report_interval;
    v1::IngestRequest request;
    *request.mutable_report() = options_.report();
    return request;
  }
  if (in_flight() == 0) {
    waiting_since_ = now;
  }
  return NextEvent();
}

Result<std::optional<v1::IngestRequest>> Session::MakeHello() {
  OOMBOX_TRY(const auto acknowledged, store_.Acknowledged());
  hello_made_ = true;
  v1::IngestRequest request;
  v1::Hello& hello = *request.mutable_hello();
  *hello.mutable_node() = options_.node;
  hello.set_agent_version(options_.agent_version);
  hello.set_store_epoch(store_.epoch());
  hello.set_acknowledged_seq(acknowledged.second);
  return request;
}

Result<std::optional<v1::IngestRequest>> Session::NextEvent() {
  while (window_->HasRoomFor(0)) {
    if (read_.empty()) {
      OOMBOX_TRY(const SeqBounds bounds, store_.Bounds());
      OOMBOX_TRY(auto events, store_.ReadAfter(window_->last(), kReadAhead));
      std::move(events.begin(), events.end(), std::back_inserter(read_));
      if (read_.empty() && bounds.last > window_->last()) {  // rows that do not parse end the store
        window_->AddSkipped(bounds.last);
        OOMBOX_RETURN_IF_ERROR(Persist());
      }
    }
    if (read_.empty()) {
      return std::nullopt;
    }
    StoredEvent& next = read_.front();
    const size_t size = next.event.ByteSizeLong();
    if (size > kMaxEventBytes) {
      spdlog::warn("event id={} has {} bytes, more than any collector takes: it stays on this node",
                   Printable(next.event.event_id()), size);
      ++counts_.rejected;
      refused_.emplace_back(next.seq, next.event.event_id());
      window_->AddSkipped(next.seq);
      read_.pop_front();
      OOMBOX_RETURN_IF_ERROR(Persist());
      continue;
    }
    if (!window_->HasRoomFor(size)) {
      return std::nullopt;
    }
    window_->AddSent(next.seq, size);
    ++counts_.sent;
    v1::IngestRequest request;
    v1::EventEnvelope& envelope = *request.mutable_event();
    envelope.set_store_epoch(store_.epoch());
    envelope.set_seq(next.seq);
    *envelope.mutable_event() = std::move(next.event);
    read_.pop_front();
    return request;
  }
  return std::nullopt;
}

Status Session::Receive(const v1::IngestResponse& response, Clock::time_point now) {
  switch (response.message_case()) {
    case v1::IngestResponse::kAck:
      return OnAck(response.ack(), now);
    case v1::IngestResponse::kQuery:
      return OnQuery(response.query());
    case v1::IngestResponse::MESSAGE_NOT_SET:
      return {};  // something a newer collector says
  }
  return {};
}

Status Session::CheckAck(const v1::Ack& ack) const {
  if (ack.store_epoch() != store_.epoch()) {
    return MakeError(ErrorCode::kCorrupt,
                     "the collector acknowledged events of another store: \"{}\" is not ours",
                     Printable(ack.store_epoch()));
  }
  if (ack.collector_epoch().empty() || ack.collector_epoch().size() > kMaxEpochBytes ||
      !IsPrintableUtf8(ack.collector_epoch())) {
    return MakeError(ErrorCode::kCorrupt, "the collector's identity is not 1 to {} printable bytes",
                     kMaxEpochBytes);
  }
  if (ack.collector_version().size() > kMaxVersionBytes ||
      !IsPrintableUtf8(ack.collector_version())) {
    return MakeError(ErrorCode::kCorrupt, "the collector's version is not 0 to {} printable bytes",
                     kMaxVersionBytes);
  }
  return {};
}

Status Session::OnAck(const v1::Ack& ack, Clock::time_point now) {
  OOMBOX_RETURN_IF_ERROR(CheckAck(ack));
  if (!greeted()) {
    return Greet(ack, now);
  }
  if (ack.collector_epoch() != collector_epoch_) {
    OOMBOX_RETURN_IF_ERROR(store_.Acknowledge(ack.collector_epoch(), 0, {}));
    return MakeError(ErrorCode::kUnavailable,
                     "the collector has a new store: all that is kept is sent again");
  }
  if (!window_->CanAcknowledge(ack.seq())) {
    return MakeError(ErrorCode::kCorrupt,
                     "the collector acknowledged seq {}, but only {} was ever sent", ack.seq(),
                     window_->last());
  }
  const size_t settled = window_->Acknowledge(ack.seq());
  if (static_cast<size_t>(ack.rejected_size()) > settled) {
    return MakeError(ErrorCode::kCorrupt, "the collector refused {} events of {} that it settled",
                     ack.rejected_size(), settled);
  }
  NoteRejected(ack);
  counts_.acknowledged += settled - static_cast<size_t>(ack.rejected_size());
  progressed_ = progressed_ || settled > 0;
  if (settled > 0) {
    waiting_since_ = now;
  }
  return Persist();
}

Status Session::Greet(const v1::Ack& ack, Clock::time_point now) {
  if (!hello_made_ || ack.seq() != 0) {
    return MakeError(ErrorCode::kCorrupt, "the collector acknowledged seq {} before any was sent",
                     ack.seq());
  }
  OOMBOX_RETURN_IF_ERROR(store_.Acknowledge(ack.collector_epoch(), 0, {}));
  OOMBOX_RETURN_IF_ERROR(store_.NoteCollectorVersion(ack.collector_version()));
  OOMBOX_TRY(const auto acknowledged, store_.Acknowledged());
  collector_epoch_ = ack.collector_epoch();
  persisted_ = acknowledged.second;
  window_.emplace(options_.window, persisted_);
  next_report_ = now;
  return {};
}

Status Session::Persist() {
  const uint64_t acknowledged = window_->acknowledged();
  if (acknowledged == persisted_) {
    return {};
  }
  std::vector<std::string> refused;
  std::erase_if(refused_, [&](auto& event) {
    if (event.first <= acknowledged) {
      refused.push_back(std::move(event.second));
    }
    return event.first <= acknowledged;
  });
  OOMBOX_RETURN_IF_ERROR(store_.Acknowledge(collector_epoch_, acknowledged, refused));
  persisted_ = acknowledged;
  return {};
}

void Session::NoteRejected(const v1::Ack& ack) {
  counts_.rejected += static_cast<uint64_t>(ack.rejected_size());
  for (const v1::RejectedEvent& rejected : ack.rejected()) {
    refused_.emplace_back(ack.seq(), rejected.event_id());
  }
  for (int i = 0; i < std::min(ack.rejected_size(), kMaxLoggedRejections); ++i) {
    spdlog::warn("the collector refused event id={}: {}; it stays on this node",
                 Printable(ack.rejected(i).event_id()), Printable(ack.rejected(i).reason()));
  }
}

Status Session::OnQuery(const v1::Query& query) {
  if (!greeted()) {
    return MakeError(ErrorCode::kCorrupt, "the collector asked before it said whose store it is");
  }
  v1::QueryResult& result = replies_.emplace_back();
  result.set_query_id(query.query_id());
  if (query.has_report()) {
    *result.mutable_report() = options_.report();
  } else {
    result.set_error("this agent does not know the question: upgrade it");
  }
  return {};
}

}  // namespace oombox
