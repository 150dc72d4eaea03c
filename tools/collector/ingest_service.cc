#include "tools/collector/ingest_service.h"

#include <memory>
#include <utility>

#include "agent/query/status.h"

namespace oombox {

namespace {

using Reactor = grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>;

// Forwards between gRPC's threads and the link. The link starts operations from any thread under
// its own lock; gRPC answers them on a thread of its own, never within the call, so the lock is not
// taken twice.
class IngestReactor final : public Reactor, public AgentStream {
 public:
  explicit IngestReactor(std::shared_ptr<AgentLink> link) : link_(std::move(link)) {
    link_->OnOpen(this);
  }

  void Read() override {
    request_.Clear();
    StartRead(&request_);
  }
  void Write(v1::IngestResponse response) override {
    response_ = std::move(response);
    StartWrite(&response_);
  }
  void Finish(const Status& status) override {
    Reactor::Finish(status ? grpc::Status::OK : ToGrpcStatus(status.error()));
  }

  void OnReadDone(bool ok) override {
    ok ? link_->OnRequest(std::move(request_)) : link_->OnHalfClose();
  }
  void OnWriteDone(bool /*ok*/) override { link_->OnWritten(); }
  void OnDone() override {
    link_->OnDone();
    delete this;
  }

 private:
  const std::shared_ptr<AgentLink> link_;
  v1::IngestRequest request_;
  v1::IngestResponse response_;
};

class RefusingReactor final : public Reactor {
 public:
  explicit RefusingReactor(const Error& error) { Finish(ToGrpcStatus(error)); }
  void OnDone() override { delete this; }
};

}  // namespace

Reactor* IngestService::Ingest(grpc::CallbackServerContext* context) {
  auto link = hub_.OpenLink(context->peer());
  if (!link) {
    return new RefusingReactor(link.error());
  }
  return new IngestReactor(std::move(*link));
}

}  // namespace oombox
