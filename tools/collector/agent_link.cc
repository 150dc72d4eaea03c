#include "tools/collector/agent_link.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "tools/collector/ingest_checks.h"

namespace oombox {

namespace {

// An agent has at most 64 events on the way: more unread refusals are no agent of ours.
constexpr int kMaxUnsentRejections = 256;
constexpr size_t kMaxWaitingQueries = 16;
constexpr size_t kMaxShownIdBytes = 64;

}  // namespace

AgentLink::AgentLink(LinkOwner& owner, IngestBudget& budget, std::string collector_epoch,
                     std::string peer)
    : owner_(owner),
      budget_(budget),
      collector_epoch_(std::move(collector_epoch)),
      peer_(std::move(peer)) {}

void AgentLink::OnOpen(AgentStream* stream) {
  std::lock_guard lock(mutex_);
  stream_ = stream;
  GoOn();
}

void AgentLink::OnRequest(v1::IngestRequest request) {
  Status status = Handle(std::move(request));
  std::lock_guard lock(mutex_);
  reading_ = false;
  if (!status) {
    CloseLocked(std::move(status));
  }
  GoOn();
}

Status AgentLink::Handle(v1::IngestRequest request) {
  if (!introduced_) {
    return HandleHello(std::move(request));
  }
  switch (request.message_case()) {
    case v1::IngestRequest::kHello:
      return MakeError(ErrorCode::kInvalid, "a second hello on the same stream");
    case v1::IngestRequest::kEvent:
      return HandleEvent(std::move(*request.mutable_event()));
    case v1::IngestRequest::kReport:
      return HandleReport(std::move(*request.mutable_report()));
    case v1::IngestRequest::kQueryResult:
      return HandleQueryResult(request.query_result());
    case v1::IngestRequest::MESSAGE_NOT_SET:
      return {};  // something a newer agent says
  }
  return {};
}

Status AgentLink::HandleHello(v1::IngestRequest request) {
  if (!request.has_hello()) {
    return MakeError(ErrorCode::kInvalid, "the first message must be a hello");
  }
  v1::Hello& hello = *request.mutable_hello();
  OOMBOX_RETURN_IF_ERROR(CheckHello(hello));
  node_ = std::move(*hello.mutable_node());
  agent_version_ = hello.agent_version();
  store_epoch_ = hello.store_epoch();
  introduced_ = true;
  {
    // Before the owner can ask anything: the greeting comes first.
    std::lock_guard lock(mutex_);
    ack_.emplace().set_seq(0);
  }
  return owner_.Admit(shared_from_this());
}

Status AgentLink::HandleEvent(v1::EventEnvelope envelope) {
  {
    std::lock_guard lock(mutex_);
    OOMBOX_RETURN_IF_ERROR(CheckPlace(envelope, store_epoch_, last_seq_));
    last_seq_ = envelope.seq();
    if (closing_) {
      return {};
    }
    QueuedEvent& queued = queue_.emplace_back();
    queued.seq = envelope.seq();
    if (Status check = CheckEvent(envelope.event()); check) {
      queued.event = std::move(*envelope.mutable_event());
    } else {
      queued.rejection = std::move(check).error().message;
      queued.event.set_event_id(envelope.event().event_id().substr(0, kMaxShownIdBytes));
    }
    queued.bytes = queued.event.ByteSizeLong();
    ++held_events_;
    Hold(queued.bytes);
  }
  owner_.Ready(shared_from_this());
  return {};
}

Status AgentLink::HandleReport(v1::NodeReport report) {
  if (IsOversized(report)) {  // its events are worth more than its status
    std::lock_guard lock(mutex_);
    LeaveOut(fmt::format("it is bigger than {} bytes", kMaxReportBytes));
    return {};
  }
  OOMBOX_RETURN_IF_ERROR(CheckReporter(report, node_));
  if (const Status usable = CheckReport(report); !usable) {
    std::lock_guard lock(mutex_);
    LeaveOut(usable.error().message);
    return {};
  }
  const size_t bytes = report.ByteSizeLong();
  {
    std::lock_guard lock(mutex_);
    if (closing_) {
      return {};
    }
    const size_t replaced = report_ ? report_->bytes : 0;
    if (budget_.used.load() - replaced + bytes > budget_.max_with_reports) {
      LeaveOut("too much waits to be stored; the next one may be taken");
      return {};
    }
    GiveBack(replaced);
    Hold(bytes);
    report_ = {bytes, std::move(report)};
  }
  owner_.Ready(shared_from_this());
  return {};
}

void AgentLink::LeaveOut(std::string_view why) {
  if (!std::exchange(left_out_told_, true)) {
    spdlog::warn("node={}: its report is left out: {}", node_.node_name(), why);
  }
}

Status AgentLink::HandleQueryResult(const v1::QueryResult& result) {
  if (result.has_report()) {
    OOMBOX_RETURN_IF_ERROR(CheckReporter(result.report(), node_));
    if (const Status usable = CheckReport(result.report()); !usable) {
      v1::QueryResult refused;
      refused.set_query_id(result.query_id());
      refused.set_error("its report cannot be used: " + usable.error().message);
      owner_.Answer(*this, refused);
      return {};
    }
  }
  owner_.Answer(*this, result);
  return {};
}

void AgentLink::OnHalfClose() {
  std::lock_guard lock(mutex_);
  reading_ = false;
  half_closed_ = true;
  GoOn();
}

void AgentLink::OnWritten() {
  std::lock_guard lock(mutex_);
  writing_ = false;
  GoOn();
}

void AgentLink::OnDone() {
  {
    std::lock_guard lock(mutex_);
    stream_ = nullptr;
    Forget();
  }
  owner_.Left(*this);
}

LinkBatch AgentLink::Take() {
  std::lock_guard lock(mutex_);
  LinkBatch batch;
  batch.link = shared_from_this();
  std::move(queue_.begin(), queue_.end(), std::back_inserter(batch.events));
  queue_.clear();
  batch.report = std::exchange(report_, std::nullopt);
  return batch;
}

void AgentLink::Committed(const LinkBatch& batch) {
  std::lock_guard lock(mutex_);
  for (const QueuedEvent& queued : batch.events) {
    Release(queued);
    if (!ack_) {
      ack_.emplace();
    }
    ack_->set_seq(queued.seq);
    if (!queued.rejection.empty()) {
      v1::RejectedEvent& rejected = *ack_->add_rejected();
      rejected.set_event_id(queued.event.event_id());
      rejected.set_reason(queued.rejection);
    }
  }
  if (ack_ && ack_->rejected_size() > kMaxUnsentRejections) {
    CloseLocked(MakeError(ErrorCode::kExhausted, "too many refused events, and no answer is read"));
  }
  GoOn();
}

void AgentLink::Failed(const LinkBatch& batch, const Error& error) {
  std::lock_guard lock(mutex_);
  for (const QueuedEvent& queued : batch.events) {
    Release(queued);
  }
  CloseLocked(tl::unexpected<Error>(error));
  GoOn();
}

void AgentLink::ReportDone(const LinkBatch& batch) {
  if (!batch.report) {
    return;
  }
  std::lock_guard lock(mutex_);
  GiveBack(batch.report->bytes);
  GoOn();
}

Status AgentLink::Ask(v1::Query query) {
  std::lock_guard lock(mutex_);
  if (stream_ == nullptr || closing_ || half_closed_) {
    return MakeError(ErrorCode::kUnavailable, "node {} is just leaving", node_.node_name());
  }
  if (queries_.size() >= kMaxWaitingQueries) {
    return MakeError(ErrorCode::kExhausted, "too many questions wait for node {}",
                     node_.node_name());
  }
  queries_.push_back(std::move(query));
  GoOn();
  return {};
}

void AgentLink::Close(Status status) {
  std::lock_guard lock(mutex_);
  CloseLocked(std::move(status));
  GoOn();
}

void AgentLink::CloseLocked(Status status) {
  if (!closing_) {
    closing_ = std::move(status);
    Forget();
  }
}

void AgentLink::GoOn() {
  if (stream_ == nullptr || finished_) {
    return;
  }
  if (!writing_) {
    if (closing_) {
      finished_ = true;
      return stream_->Finish(*closing_);
    }
    v1::IngestResponse response;
    if (ack_) {
      *response.mutable_ack() = std::move(*std::exchange(ack_, std::nullopt));
      response.mutable_ack()->set_store_epoch(store_epoch_);
      response.mutable_ack()->set_collector_epoch(collector_epoch_);
      response.mutable_ack()->set_collector_version(OOMBOX_VERSION);
    } else if (!queries_.empty()) {
      *response.mutable_query() = std::move(queries_.front());
      queries_.pop_front();
    }
    if (response.message_case() != v1::IngestResponse::MESSAGE_NOT_SET) {
      writing_ = true;
      stream_->Write(std::move(response));
    } else if (half_closed_ && held_events_ == 0) {
      finished_ = true;
      return stream_->Finish({});
    }
  }
  if (!reading_ && !half_closed_ && !closing_ && HasRoom()) {
    reading_ = true;
    stream_->Read();
  }
}

// What is held is with the writer or on its way there: it gives the room back. A link without
// events always reads: a report keeps no event out, and is itself replaced by the next.
bool AgentLink::HasRoom() const {
  return held_events_ == 0 || (held_events_ < kMaxEvents && held_bytes_ < kMaxBytes &&
                               budget_.used.load() < budget_.max);
}

void AgentLink::Hold(size_t bytes) {
  held_bytes_ += bytes;
  budget_.used += bytes;
}

void AgentLink::GiveBack(size_t bytes) {
  held_bytes_ -= bytes;
  budget_.used -= bytes;
}

void AgentLink::Release(const QueuedEvent& queued) {
  --held_events_;
  GiveBack(queued.bytes);
}

void AgentLink::Forget() {
  for (const QueuedEvent& queued : queue_) {
    Release(queued);
  }
  queue_.clear();
  if (report_) {
    GiveBack(report_->bytes);
    report_.reset();
  }
}

}  // namespace oombox
