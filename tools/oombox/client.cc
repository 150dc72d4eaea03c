#include "tools/oombox/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <thread>

#include "agent/common/credentials.h"
#include "agent/query/status.h"
#include "oombox/v1/query.grpc.pb.h"
#include "tools/oombox/connect_error.h"

namespace oombox {

namespace {

using Clock = std::chrono::system_clock;

constexpr int kAttempts = 4;
constexpr std::chrono::milliseconds kFirstPause{100};
constexpr int kMaxResponseBytes = 16 << 20;
// Full events may be big, and a response holds at most 4 MiB.
constexpr int kBasicPage = 500;
constexpr int kFullPage = 50;

class GrpcSource final : public EventSource {
 public:
  GrpcSource(ClientOptions options, std::shared_ptr<grpc::Channel> channel)
      : options_(std::move(options)),
        channel_(std::move(channel)),
        events_(v1::EventService::NewStub(channel_)),
        nodes_(v1::NodeService::NewStub(channel_)),
        diagnosis_(v1::DiagnosisService::NewStub(channel_)) {}

  std::string Describe() const override { return DescribeAddress(options_.address); }
  Result<EventList> ListEvents(const ListRequest& request) override;
  Result<v1::Event> GetEvent(std::string_view reference) override;
  Result<v1::ExplainEventResponse> Explain(std::string_view reference) override;
  Status Watch(const WatchRequest& request, const WatchSink& sink, std::stop_token stop) override;
  Result<std::vector<v1::NodeStatus>> Nodes() override;
  Result<v1::GetVersionResponse> Version() override;

 private:
  // Calls `stub.*method`, again while the server is unavailable and time is left.
  template <typename Response, typename Stub, typename Request>
  Result<Response> Call(Stub* stub,
                        grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                     Response*),
                        const Request& request) {
    const Clock::time_point deadline = Clock::now() + options_.timeout;
    std::chrono::milliseconds pause = kFirstPause;
    for (int attempt = 1;; ++attempt, pause *= 2) {
      grpc::ClientContext context;
      context.set_deadline(deadline);
      Response response;
      const grpc::Status status = (stub->*method)(&context, request, &response);
      if (status.ok()) {
        return response;
      }
      const bool again = status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                         attempt < kAttempts && MayPass(status.error_message()) &&
                         Clock::now() + pause < deadline;
      if (!again) {
        return tl::unexpected<Error>(ErrorOf(status));
      }
      std::this_thread::sleep_for(pause);
    }
  }

  Error ErrorOf(const grpc::Status& status) const;
  // False: out of time, or stopped.
  bool WaitWhileConnecting(const std::stop_token& stop);

  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::EventService::Stub> events_;
  const std::unique_ptr<v1::NodeService::Stub> nodes_;
  const std::unique_ptr<v1::DiagnosisService::Stub> diagnosis_;
};

Error GrpcSource::ErrorOf(const grpc::Status& status) const {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return ConnectError(options_.address, status.error_message());
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {
          ErrorCode::kUnavailable,
          fmt::format("{} gave no answer within {} ms\ntry: --timeout 60s, or a narrower --since",
                      Describe(), options_.timeout.count()),
          0};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {ErrorCode::kInternal,
              fmt::format("{} does not know this question: it is of another version\n"
                          "try: oombox version",
                          Describe()),
              0};
    default:
      return {FromGrpcStatus(status).code,
              fmt::format("{}: {}", Describe(), status.error_message()), 0};
  }
}

Result<EventList> GrpcSource::ListEvents(const ListRequest& request) {
  const bool full = request.view == v1::EVENT_VIEW_FULL;
  v1::ListEventsRequest page;
  page.set_filter(request.filter);
  page.set_view(request.view);
  page.set_page_size(std::min(full ? kFullPage : kBasicPage,
                              static_cast<int>(std::min<size_t>(request.limit, kBasicPage))));
  EventList list;
  size_t left = request.limit;
  while (true) {
    OOMBOX_TRY(v1::ListEventsResponse response,
               Call(events_.get(), &v1::EventService::Stub::ListEvents, page));
    if (response.has_coverage()) {
      list.coverage = std::move(*response.mutable_coverage());
    }
    const bool repeats = response.next_page_token() == page.page_token();
    const bool last = response.next_page_token().empty() || repeats;
    list.more = static_cast<size_t>(response.events_size()) > left ||
                (static_cast<size_t>(response.events_size()) == left && !last);
    for (v1::Event& event : *response.mutable_events()) {
      if (left == 0) {
        break;
      }
      --left;
      if (!request.each) {
        list.events.push_back(std::move(event));
      } else if (!request.each(event)) {
        return list;
      }
    }
    if (last || left == 0) {
      return list;
    }
    page.set_page_token(response.next_page_token());
  }
}

Result<v1::Event> GrpcSource::GetEvent(std::string_view reference) {
  v1::GetEventRequest request;
  request.set_reference(std::string(reference));
  OOMBOX_TRY(v1::GetEventResponse response,
             Call(events_.get(), &v1::EventService::Stub::GetEvent, request));
  return std::move(*response.mutable_event());
}

Result<v1::ExplainEventResponse> GrpcSource::Explain(std::string_view reference) {
  v1::ExplainEventRequest request;
  request.set_reference(std::string(reference));
  return Call(diagnosis_.get(), &v1::DiagnosisService::Stub::ExplainEvent, request);
}

bool GrpcSource::WaitWhileConnecting(const std::stop_token& stop) {
  const Clock::time_point deadline = Clock::now() + options_.timeout;
  while (!stop.stop_requested() && Clock::now() < deadline) {
    const grpc_connectivity_state state = channel_->GetState(true);
    if (state != GRPC_CHANNEL_IDLE && state != GRPC_CHANNEL_CONNECTING) {
      return true;  // connected, or failed: the call will say why
    }
    // In slices: a blocked wait would not hear `stop`.
    channel_->WaitForStateChange(state, std::min(deadline, Clock::now() + kFirstPause));
  }
  return false;
}

Status GrpcSource::Watch(const WatchRequest& request, const WatchSink& sink, std::stop_token stop) {
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  v1::WatchEventsRequest message;
  message.set_filter(request.filter);
  message.set_resume_token(request.resume_token);
  message.set_view(request.view);

  // A stream has no deadline, so connecting gets its own.
  if (!WaitWhileConnecting(stop)) {
    return stop.stop_requested()
               ? Status()
               : tl::unexpected<Error>(ErrorOf({grpc::StatusCode::DEADLINE_EXCEEDED, ""}));
  }
  const auto reader = events_->WatchEvents(&context, message);
  // The server sends them once it has found the place in its store from which it will tell.
  reader->WaitForInitialMetadata();
  if (channel_->GetState(false) == GRPC_CHANNEL_READY && sink.on_open) {
    sink.on_open();
  }
  v1::WatchEventsResponse response;
  while (reader->Read(&response)) {
    if (!sink.on_response(response)) {
      context.TryCancel();
      reader->Finish();
      return {};
    }
  }
  const grpc::Status status = reader->Finish();
  if (stop.stop_requested()) {
    return {};
  }
  if (status.ok()) {
    return MakeError(ErrorCode::kUnavailable, "{} ended the stream", Describe());
  }
  return tl::unexpected<Error>(ErrorOf(status));
}

Result<std::vector<v1::NodeStatus>> GrpcSource::Nodes() {
  v1::ListNodesRequest request;
  std::vector<v1::NodeStatus> nodes;
  while (true) {
    OOMBOX_TRY(v1::ListNodesResponse response,
               Call(nodes_.get(), &v1::NodeService::Stub::ListNodes, request));
    for (v1::NodeStatus& node : *response.mutable_nodes()) {
      nodes.push_back(std::move(node));
    }
    if (response.next_page_token().empty() || response.next_page_token() == request.page_token()) {
      return nodes;
    }
    request.set_page_token(response.next_page_token());
  }
}

Result<v1::GetVersionResponse> GrpcSource::Version() {
  return Call(nodes_.get(), &v1::NodeService::Stub::GetVersion, v1::GetVersionRequest());
}

}  // namespace

Result<std::unique_ptr<EventSource>> MakeGrpcSource(const ClientOptions& options) {
  const TlsFiles files{options.tls_ca, options.tls_certificate, options.tls_key};
  OOMBOX_TRY(const auto credentials, ClientCredentials(options.address, files, options.insecure));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxResponseBytes);
  // A channel that pauses for seconds would turn every retry into the same error.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  // In spite of its name: how long one attempt to connect may take (gRPC 1.51, subchannel.cc).
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(options.timeout.count()));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A watch over a dead network must notice. A server takes pings more often than every 5 minutes
  // for abuse unless it was told otherwise.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 310'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Only this process's own address; proxies from the environment are for the web.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return std::make_unique<GrpcSource>(
      options, grpc::CreateCustomChannel(options.address, credentials, arguments));
}

}  // namespace oombox
