#include "agent/query/watch_call.h"

#include <grpcpp/server_context.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "agent/query/status.h"
#include "agent/query/watch_cursor.h"

namespace oombox {

namespace {

using Reactor = grpc::ServerWriteReactor<v1::WatchEventsResponse>;

// The state of one call. It is shared by the reactor, which gRPC ends when it likes, and the hub,
// whose thread may be reading the store for it at that moment.
class WatchCall final : public WatchHub::Watcher, public std::enable_shared_from_this<WatchCall> {
 public:
  WatchCall(EventStore& store, WatchHub& hub, v1::WatchEventsRequest request)
      : store_(store), hub_(hub), request_(std::move(request)) {}

  void Start(Reactor* reactor, grpc::CallbackServerContext* context) {
    {
      std::lock_guard lock(mutex_);
      reactor_ = reactor;
      context_ = context;
    }
    if (const Status added = hub_.Add(shared_from_this()); !added.has_value()) {
      End(ToGrpcStatus(added.error()));
    }
  }

  void Pump() override;
  void Stop() override {
    End({grpc::StatusCode::UNAVAILABLE, "the server is shutting down; watch again later"});
    std::lock_guard lock(mutex_);
    if (reactor_ != nullptr && writing_) {
      context_->TryCancel();  // a client that does not read would hold up the shutdown
    }
  }
  void End(grpc::Status status);
  void OnWriteDone(bool ok);
  void OnDone() {
    {
      std::lock_guard lock(mutex_);
      reactor_ = nullptr;
    }
    hub_.Remove(shared_from_this());
  }

 private:
  bool FindPlace();

  EventStore& store_;
  WatchHub& hub_;
  const v1::WatchEventsRequest request_;
  std::optional<WatchCursor> cursor_;  // used by the hub's thread only

  std::mutex mutex_;
  Reactor* reactor_ = nullptr;  // null before the start and after the end
  grpc::CallbackServerContext* context_ = nullptr;
  std::deque<v1::WatchEventsResponse> pending_;  // the first is being written while writing_
  bool writing_ = false;
  std::optional<grpc::Status> end_status_;  // set: no further write is started
};

void WatchCall::Pump() {
  {
    std::lock_guard lock(mutex_);
    if (end_status_.has_value() || writing_) {
      return;  // the end of the write wakes the hub again
    }
  }
  if (!cursor_.has_value() && !FindPlace()) {
    return;
  }
  auto batch = cursor_->Next();
  if (!batch.has_value()) {
    End(ToGrpcStatus(batch.error()));
    return;
  }
  std::unique_lock lock(mutex_);
  if (end_status_.has_value() || reactor_ == nullptr) {
    return;
  }
  if (!batch->responses.empty()) {
    pending_.assign(std::make_move_iterator(batch->responses.begin()),
                    std::make_move_iterator(batch->responses.end()));
    writing_ = true;
    reactor_->StartWrite(&pending_.front());
    return;
  }
  lock.unlock();
  if (batch->more) {
    hub_.Wake(shared_from_this());  // in turn, so that a long search does not starve the others
  }
}

bool WatchCall::FindPlace() {
  auto cursor = WatchCursor::Begin(store_, request_);
  if (!cursor.has_value()) {
    End(ToGrpcStatus(cursor.error()));
    return false;
  }
  cursor_ = std::move(cursor).value();
  std::lock_guard lock(mutex_);
  if (end_status_.has_value() || reactor_ == nullptr) {
    return false;
  }
  reactor_->StartSendInitialMetadata();
  return true;
}

void WatchCall::End(grpc::Status status) {
  std::lock_guard lock(mutex_);
  if (end_status_.has_value() || reactor_ == nullptr) {
    return;
  }
  end_status_ = std::move(status);
  if (!writing_) {
    reactor_->Finish(*end_status_);
  }
}

void WatchCall::OnWriteDone(bool ok) {
  std::unique_lock lock(mutex_);
  pending_.pop_front();
  if (!ok && !end_status_.has_value()) {
    end_status_ = grpc::Status::CANCELLED;
  }
  if (end_status_.has_value()) {
    writing_ = false;
    reactor_->Finish(*end_status_);
    return;
  }
  if (!pending_.empty()) {
    reactor_->StartWrite(&pending_.front());
    return;
  }
  writing_ = false;
  lock.unlock();
  hub_.Wake(shared_from_this());
}

class WatchReactor final : public Reactor {
 public:
  explicit WatchReactor(std::shared_ptr<WatchCall> call) : call_(std::move(call)) {}

  void OnWriteDone(bool ok) override { call_->OnWriteDone(ok); }
  void OnCancel() override { call_->End(grpc::Status::CANCELLED); }
  void OnDone() override {
    call_->OnDone();
    delete this;
  }

 private:
  const std::shared_ptr<WatchCall> call_;
};

}  // namespace

grpc::ServerWriteReactor<v1::WatchEventsResponse>* StartWatchCall(
    EventStore& store, WatchHub& hub, grpc::CallbackServerContext* context,
    const v1::WatchEventsRequest& request) {
  auto call = std::make_shared<WatchCall>(store, hub, request);
  auto* reactor = new WatchReactor(call);
  call->Start(reactor, context);
  return reactor;
}

}  // namespace oombox
