#include "agent/uplink/grpc_transport.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/client_callback.h>

#include <future>
#include <utility>

#include "agent/common/text.h"
#include "oombox/v1/ingest.grpc.pb.h"

namespace oombox {

namespace {

constexpr int kMaxResponseBytes = 1 << 20;
constexpr size_t kMaxMessageBytes = 512;

ErrorCode CodeOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::UNIMPLEMENTED:
      return ErrorCode::kInvalid;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return ErrorCode::kExhausted;
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return ErrorCode::kPermission;
    default:
      return ErrorCode::kUnavailable;
  }
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) {
    return {};
  }
  return MakeError(CodeOf(status.error_code()), "{}",
                   EscapeUntrusted(status.error_message().substr(0, kMaxMessageBytes)));
}

grpc::ChannelArguments ChannelArguments(const GrpcTransport::Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(options.keepalive_time.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(options.keepalive_timeout.count()));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // those of the environment are for the web
  arguments.SetMaxReceiveMessageSize(kMaxResponseBytes);
  return arguments;
}

// Forwards between gRPC's threads and the observer. A hold keeps it alive until Release, so that
// the owner may start operations from its own thread; it deletes itself after the last reaction.
class IngestReactor final : public grpc::ClientBidiReactor<v1::IngestRequest, v1::IngestResponse> {
 public:
  IngestReactor(StreamObserver& observer, std::promise<grpc::Status> done)
      : observer_(observer), done_(std::move(done)) {}

  void Start() {
    AddHold();
    StartRead(&response_);
    StartCall();
  }
  void Send(v1::IngestRequest request) {
    request_ = std::move(request);
    StartWrite(&request_);
  }
  void ReadOn() { StartRead(&response_); }
  void Release() { RemoveHold(); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      observer_.OnBroken();
    } else if (observer_.OnResponse(std::move(response_))) {
      StartRead(&response_);
    }
  }
  void OnWriteDone(bool ok) override { ok ? observer_.OnWritten() : observer_.OnBroken(); }
  void OnDone(const grpc::Status& status) override {
    done_.set_value(status);
    delete this;
  }

 private:
  StreamObserver& observer_;
  std::promise<grpc::Status> done_;
  v1::IngestRequest request_;
  v1::IngestResponse response_;
};

class GrpcStream final : public CollectorStream {
 public:
  GrpcStream(const std::shared_ptr<grpc::Channel>& channel, StreamObserver& observer)
      : stub_(v1::IngestService::NewStub(channel)) {
    std::promise<grpc::Status> done;
    done_ = done.get_future();
    reactor_ = new IngestReactor(observer, std::move(done));
    stub_->async()->Ingest(&context_, reactor_);
    reactor_->Start();
  }
  ~GrpcStream() override {
    if (reactor_ != nullptr) {
      (void)Finish(std::chrono::milliseconds::zero());
    }
  }

  void Send(v1::IngestRequest request) override { reactor_->Send(std::move(request)); }
  void ReadOn() override { reactor_->ReadOn(); }
  void HalfClose() override { reactor_->StartWritesDone(); }

  Status Finish(std::chrono::milliseconds grace) override {
    std::exchange(reactor_, nullptr)->Release();
    if (done_.wait_for(grace) != std::future_status::ready) {
      context_.TryCancel();
    }
    return FromGrpc(done_.get());
  }

 private:
  const std::unique_ptr<v1::IngestService::Stub> stub_;
  grpc::ClientContext context_;
  std::future<grpc::Status> done_;
  IngestReactor* reactor_ = nullptr;  // deletes itself; valid until Finish
};

}  // namespace

GrpcTransport::GrpcTransport(Options options) : options_(std::move(options)) {}

Result<std::unique_ptr<CollectorStream>> GrpcTransport::Open(const std::string& address,
                                                             StreamObserver& observer) {
  auto& credentials = credentials_[address];
  if (credentials == nullptr) {
    OOMBOX_TRY(credentials, ClientCredentials(address, options_.tls, options_.allow_plaintext));
  }
  const auto channel = grpc::CreateCustomChannel(address, credentials, ChannelArguments(options_));
  return std::make_unique<GrpcStream>(channel, observer);
}

}  // namespace oombox
