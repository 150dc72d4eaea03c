#include "agent/query/query_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>

#include <mutex>

#include "agent/common/clock.h"
#include "agent/query/diagnosis_service.h"
#include "agent/query/event_queries.h"
#include "agent/query/event_service.h"
#include "agent/query/listen_address.h"
#include "agent/query/node_queries.h"
#include "agent/query/node_service.h"
#include "agent/query/watch_hub.h"
#include "agent/query/work_queue.h"

namespace oombox {

namespace {

constexpr size_t kStoreQueue = 256;
constexpr size_t kLiveQueue = 64;
constexpr size_t kMaxWatchers = 64;
constexpr int kMinPingIntervalMs = 5000;  // clients that ping more often are cut off

}  // namespace

struct QueryServer::Rooms {
  Rooms(EventStore& store, NodeDirectory& nodes, ServerIdentity identity, size_t store_workers)
      : event_queries(store, nodes),
        node_queries(nodes),
        store_queue(kStoreQueue, store_workers),
        live_queue(kLiveQueue),
        hub(store, kMaxWatchers),
        events(event_queries, store, store_queue, hub),
        node_service(node_queries, store_queue, live_queue, std::move(identity)),
        diagnosis(event_queries, store_queue) {}

  EventQueries event_queries;
  NodeQueries node_queries;
  WorkQueue store_queue;
  WorkQueue live_queue;
  WatchHub hub;
  EventService events;
  NodeService node_service;
  DiagnosisService diagnosis;
};

QueryServer::QueryServer(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}

QueryServer::~QueryServer() { Shutdown(std::chrono::milliseconds{0}); }

Result<std::unique_ptr<QueryServer>> QueryServer::Start(const Options& options, EventStore& store,
                                                        NodeDirectory& nodes) {
  // Both are switches of the gRPC library for the whole process; setting them again changes
  // nothing.
  grpc::EnableDefaultHealthCheckService(true);
  static std::once_flag reflection;
  std::call_once(reflection, grpc::reflection::InitProtoReflectionServerBuilderPlugin);

  auto rooms = std::make_unique<Rooms>(
      store, nodes, ServerIdentity{options.component, options.version, WallNowNs()},
      options.store_workers);
  std::unique_ptr<QueryServer> server(new QueryServer(std::move(rooms)));
  OOMBOX_RETURN_IF_ERROR(server->Serve(options));
  return server;
}

Status QueryServer::Serve(const Options& options) {
  grpc::ServerBuilder builder;
  // Otherwise a second server could take half of the connections of this one, unnoticed.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             static_cast<int>(options.keepalive_time.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             static_cast<int>(options.keepalive_timeout.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  ports_.resize(options.listen.size());
  for (size_t i = 0; i < options.listen.size(); ++i) {
    const Listen& listen = options.listen[i];
    if (const auto path = UnixSocketPath(listen.address)) {
      OOMBOX_RETURN_IF_ERROR(MakeWayForUnixSocket(*path));
    }
    builder.AddListeningPort(listen.address, listen.credentials, &ports_[i]);
  }
  std::vector<grpc::Service*> services = {&rooms_->events, &rooms_->node_service,
                                          &rooms_->diagnosis};
  services.insert(services.end(), options.extra_services.begin(), options.extra_services.end());
  for (grpc::Service* service : services) {
    builder.RegisterService(service);
  }
  if (options.call_counts != nullptr) {
    std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
    creators.push_back(options.call_counts->Interceptor());
    builder.experimental().SetInterceptorCreators(std::move(creators));
  }
  server_ = builder.BuildAndStart();
  OOMBOX_RETURN_IF_ERROR(CheckListening(options));
  grpc::HealthCheckServiceInterface* health = server_->GetHealthCheckService();
  health->SetServingStatus(true);
  for (const char* name :
       {v1::EventService::service_full_name(), v1::NodeService::service_full_name(),
        v1::DiagnosisService::service_full_name()}) {
    health->SetServingStatus(name, true);
  }
  return {};
}

Status QueryServer::CheckListening(const Options& options) const {
  for (size_t i = 0; i < options.listen.size(); ++i) {
    const std::string& address = options.listen[i].address;
    if (ports_[i] == 0) {
      return tl::unexpected(ExplainListenFailure(address));
    }
    if (const auto path = UnixSocketPath(address)) {
      OOMBOX_RETURN_IF_ERROR(RestrictUnixSocket(*path));
    }
  }
  if (server_ == nullptr) {
    return MakeError(ErrorCode::kInternal, "gRPC could not start the server");
  }
  return {};
}

void QueryServer::Shutdown(std::chrono::milliseconds deadline) {
  if (server_ == nullptr) {
    return;
  }
  server_->GetHealthCheckService()->Shutdown();
  rooms_->hub.Stop();
  server_->Shutdown(std::chrono::system_clock::now() + deadline);
  server_->Wait();
  server_.reset();
}

std::shared_ptr<grpc::Channel> QueryServer::InProcessChannel() {
  return server_->InProcessChannel(grpc::ChannelArguments());
}

}  // namespace oombox
