#include "tools/collector/collector.h"

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "agent/common/clock.h"
#include "agent/common/credentials.h"
#include "tools/collector/collector_metrics.h"

namespace oombox {

namespace {

constexpr std::chrono::milliseconds kShutdownGrace{3000};
constexpr size_t kStoreWorkers = 4;
constexpr size_t kOtherReaders = 4;  // watches; retention; the two threads of the metrics

Result<std::vector<QueryServer::Listen>> ListenOn(const CollectorConfig& config) {
  const TlsFiles files{config.tls_ca, config.tls_cert, config.tls_key};
  std::vector<QueryServer::Listen> listen;
  for (const std::string& address : config.listen) {
    OOMBOX_TRY(auto credentials, ServerCredentials(address, files, config.insecure));
    listen.push_back({address, std::move(credentials)});
  }
  return listen;
}

}  // namespace

Collector::Collector(StateDir state_dir, std::unique_ptr<EventStore> store,
                     const CollectorConfig& config)
    : state_dir_(std::move(state_dir)),
      store_(std::move(store)),
      hub_(*store_, {static_cast<size_t>(config.max_agents), report_clock_}),
      directory_(*store_, hub_, report_clock_, std::chrono::seconds(config.forget_nodes_after)),
      ingest_(hub_) {}

Result<std::unique_ptr<Collector>> Collector::Start(const CollectorConfig& config) {
  OOMBOX_TRY(auto listen, ListenOn(config));
  OOMBOX_TRY(auto state_dir, StateDir::Open(config.state_dir, "collector"));
  EventStore::Options store_options;
  store_options.path = state_dir.File("events.db");
  store_options.max_bytes = static_cast<uint64_t>(config.store_max_bytes);
  store_options.max_age_seconds = config.store_max_age;
  store_options.max_readers = kStoreWorkers + kOtherReaders;
  OOMBOX_TRY(auto store, EventStore::Open(std::move(store_options)));
  if (!store->moved_aside().empty()) {
    spdlog::error(
        "the event store was damaged: it is kept as {} and a new one begun; the agents send "
        "again what they still have",
        store->moved_aside());
    OOMBOX_RETURN_IF_ERROR(store->NoteMovedAsideTold());
  }
  std::unique_ptr<Collector> collector(
      new Collector(std::move(state_dir), std::move(store), config));
  if (Status loaded = collector->hub_.LoadReports(*collector->store_); !loaded) {
    return MakeError(loaded.error().code, "the nodes' last reports cannot be read: {}",
                     loaded.error().message);
  }
  collector->Retain();

  QueryServer::Options server_options;
  server_options.listen = std::move(listen);
  server_options.component = "oombox-collector";
  server_options.version = OOMBOX_VERSION;
  server_options.extra_services = {&collector->ingest_};
  server_options.store_workers = kStoreWorkers;
  if (!config.metrics_listen.empty()) {
    server_options.call_counts = &collector->call_counts_;
  }
  OOMBOX_TRY(collector->server_,
             QueryServer::Start(server_options, *collector->store_, collector->directory_));
  OOMBOX_RETURN_IF_ERROR(collector->StartMetrics(config.metrics_listen));
  spdlog::info("ready listen={} state-dir={}", fmt::join(config.listen, ","), config.state_dir);
  return collector;
}

Collector::~Collector() {
  metrics_.reset();
  if (server_ != nullptr) {
    hub_.Stop();
    server_->Shutdown(kShutdownGrace);
  }
}

Status Collector::StartMetrics(const std::string& address) {
  if (address.empty()) {
    return {};
  }
  OOMBOX_TRY(metrics_, MetricsServer::Start(address, [this] { return Metrics(); }));
  spdlog::info("metrics on {} port={}", address, metrics_->port());
  return {};
}

std::vector<prometheus::MetricFamily> Collector::Metrics() {
  const auto stats = store_->Stats();
  const auto nodes = directory_.Nodes();
  return CollectorMetrics({.version = OOMBOX_VERSION,
                           .connected_agents = hub_.registry().size(),
                           .ingest = hub_.counts().Read(),
                           .store = stats ? &*stats : nullptr,
                           .store_moved_aside = !store_->moved_aside().empty(),
                           .nodes = nodes ? &*nodes : nullptr,
                           .calls = call_counts_.Read()});
}

void Collector::Retain() {
  Status status = store_->Retain(WallNowNs());
  if (status) {
    status = directory_.Forget();
  }
  if (!status && !retain_failing_) {
    spdlog::error("cannot remove what is too old: {}", status.error().message);
  }
  retain_failing_ = !status;
}

}  // namespace oombox
