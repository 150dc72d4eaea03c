#include "agent/agent.h"

#include <spdlog/spdlog.h>

#include <mutex>
#include <utility>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/accounting.h"
#include "agent/capture/capture.h"
#include "agent/capture/committed.h"
#include "agent/capture/decode.h"
#include "agent/common/clock.h"
#include "agent/common/state_dir.h"
#include "agent/container_names.h"
#include "agent/event/event_stage.h"
#include "agent/event_options.h"
#include "agent/file_stats.h"
#include "agent/leftovers.h"
#include "agent/machine.h"
#include "agent/match_journal.h"
#include "agent/memory_watch.h"
#include "agent/node_metrics.h"
#include "agent/node_report_parts.h"
#include "agent/node_reporter.h"
#include "agent/privileged_start.h"
#include "agent/query/query_server.h"
#include "agent/reconciler.h"
#include "agent/recording.h"
#include "agent/store/event_store.h"
#include "agent/store/journal.h"
#include "agent/store/journal_id.h"
#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"

namespace oombox {

namespace {

using Started = tl::expected<void, StartFailure>;

tl::unexpected<StartFailure> Fail(ExitCode code, const Error& error) {
  return tl::unexpected(StartFailure{code, error.message});
}

class RunningAgent final : public Agent {
 public:
  explicit RunningAgent(const AgentConfig& config) : config_(config) {}

  // Who asks goes first, then the programs, so that nothing is recorded behind the last drain.
  ~RunningAgent() override {
    metrics_.reset();
    server_.reset();
    StopUplink();
    reporter_.reset();
    if (memory_ != nullptr) {
      memory_->Stop();
    }
    if (probe_ != nullptr) {
      probe_->Detach();
    }
  }

  bool damaged() const override { return journal_->damaged() || store_->damaged(); }

  // Its thread asks for reports, and reports ask for it.
  void StopUplink() {
    if (uplink_ != nullptr) {
      uplink_->Stop();
    }
    const std::lock_guard lock(uplink_mutex_);
    uplink_.reset();
  }

  // In the order of the flow; each step needs the ones before.
  Started Start() {
    for (const auto step :
         {&RunningAgent::OpenStateDir, &RunningAgent::LoadProbe, &RunningAgent::OpenStores,
          &RunningAgent::CheckCollectors, &RunningAgent::StartStages, &RunningAgent::StartUplink,
          &RunningAgent::StartServer, &RunningAgent::StartMetrics}) {
      if (Started started = (this->*step)(); !started) {
        return started;
      }
    }
    spdlog::info("ready socket={} state-dir={} node={}{}", config_.socket, config_.state_dir,
                 config_.node_name, config_.replay.empty() ? "" : " replay=" + config_.replay);
    return {};
  }

 private:
  Started OpenStateDir();
  Started CheckCollectors();
  Started OpenStores();
  Started LoadProbe();
  Started StartStages();
  Started StartCapture();
  MatchOptions MatchOptionsNow() const;
  void MakeReconciler();
  void TellMovedAside();
  void OnCommitted(int64_t last_id);
  void StartReporter();
  Started StartUplink();
  Started StartServer();
  Started StartMetrics();

  TlsFiles Tls() const { return {config_.tls_ca, config_.tls_cert, config_.tls_key}; }
  bool replaying() const { return !config_.replay.empty(); }
  // What the report thread may ask at any time, also before the uplink is started.
  std::optional<UplinkStatus> UplinkNow() const {
    const std::lock_guard lock(uplink_mutex_);
    return uplink_ == nullptr ? std::nullopt : std::optional(uplink_->status());
  }

  const AgentConfig config_;
  // Start order; destroyed in reverse.
  std::optional<StateDir> state_dir_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EventStore> store_;
  JournalSession session_;
  std::unique_ptr<KillProbe> probe_;
  std::vector<MissingFeature> missing_;
  std::optional<KernelLog> kernel_log_;
  std::shared_ptr<StackSymbols> symbols_;
  std::unique_ptr<Redactor> redactor_;
  std::shared_ptr<ContainerWatch> containers_;  // null: nobody is asked for names
  std::unique_ptr<CgroupProbe> cgroups_;        // null: cgroups are only listed
  std::shared_ptr<ReclaimSource> reclaim_;      // null: not measured
  std::shared_ptr<PressureWatch> memory_;       // null: not watched
  std::shared_ptr<KillTally> kills_;
  std::unique_ptr<EventStage> events_;
  std::unique_ptr<GapEvidence> evidence_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<Capture> capture_;
  std::unique_ptr<FileStatsReader> files_;
  std::unique_ptr<NodeReporter> reporter_;
  std::unique_ptr<GrpcTransport> transport_;
  mutable std::mutex uplink_mutex_;  // guards the pointer
  std::unique_ptr<Uplink> uplink_;
  std::unique_ptr<QueryServer> server_;
  std::unique_ptr<MetricsServer> metrics_;  // null when not wanted
};

// After the capabilities are gone: gRPC starts threads.
Started RunningAgent::CheckCollectors() {
  for (const std::string& address : config_.collector) {
    if (const auto usable = ClientCredentials(address, Tls(), config_.insecure); !usable) {
      return Fail(ExitCode::kUsage, usable.error());
    }
  }
  return {};
}

Started RunningAgent::OpenStateDir() {
  auto state_dir = StateDir::Open(config_.state_dir, "agent");
  if (!state_dir) {
    return Fail(CodeOf(state_dir.error()), state_dir.error());
  }
  state_dir_.emplace(std::move(*state_dir));
  return {};
}

Started RunningAgent::OpenStores() {
  if (replaying()) {
    const auto copied = CopyRecording(config_.replay, state_dir_->File("journal.db"));
    if (!copied) {
      return Fail(ExitCode::kUsage, copied.error());
    }
  }
  auto journal = Journal::Open({.path = state_dir_->File("journal.db"),
                                .max_bytes = static_cast<uint64_t>(config_.journal_max_bytes),
                                .max_age_seconds = config_.store_max_age,
                                .is_kill = IsKillRecord});
  if (!journal) {
    return Fail(CodeOf(journal.error()), journal.error());
  }
  journal_ = std::move(*journal);
  auto store = EventStore::Open({.path = state_dir_->File("events.db"),
                                 .max_bytes = static_cast<uint64_t>(config_.store_max_bytes),
                                 .max_age_seconds = config_.store_max_age,
                                 .expects_acknowledgement = !config_.collector.empty()});
  if (!store) {
    return Fail(CodeOf(store.error()), store.error());
  }
  store_ = std::move(*store);
  if (replaying()) {
    return {};
  }
  auto session = journal_->BeginSession(session_);
  if (!session) {
    return Fail(CodeOf(session.error()), session.error());
  }
  session_ = std::move(*session);
  return {};
}

Started RunningAgent::LoadProbe() {
  session_ = ReadMachine();
  auto parts = StartPrivileged(config_);
  if (!parts) {
    return tl::unexpected(std::move(parts).error());
  }
  probe_ = std::move(parts->probe);
  missing_ = std::move(parts->missing);
  kernel_log_ = std::move(parts->kernel_log);
  symbols_ = std::move(parts->symbols);
  redactor_ = std::move(parts->redactor);
  cgroups_ = std::move(parts->cgroups);
  reclaim_ = std::move(parts->reclaim);
  return {};
}

Started RunningAgent::StartStages() {
  const auto matched = MatchJournalAndStore(*journal_, *store_, MatchOptionsNow(),
                                            probe_ == nullptr ? nullptr : &probe_->attachment());
  if (!matched) {
    return Fail(CodeOf(matched.error()), matched.error());
  }
  containers_ = WatchContainers(config_, missing_);
  memory_ = PrepareMemoryWatch(config_, session_, reclaim_, cgroups_ != nullptr, missing_);
  kills_ = std::make_shared<KillTally>(config_.metrics_labels);
  events_ = std::make_unique<EventStage>(
      EventOptionsOf(config_, session_,
                     {symbols_, redactor_.get(), containers_, memory_.get(), kills_}),
      *journal_, *store_);
  if (memory_ != nullptr) {
    memory_->Start(
        [this](PressureChange change) { events_->ReportPressure(std::move(change), session_); });
  }
  if (cgroups_ != nullptr) {
    FollowCgroups(*cgroups_, containers_, memory_);
  }
  if (probe_ != nullptr) {
    MakeReconciler();
  }
  TellMovedAside();
  Started capturing = probe_ == nullptr ? Started() : StartCapture();
  if (capturing) {
    StartReporter();
  }
  return capturing;
}

void RunningAgent::MakeReconciler() {
  evidence_ = std::make_unique<GapEvidence>(
      GapEvidence::Sources{.log = std::exchange(kernel_log_, std::nullopt),
                           .boot_id = session_.boot_id,
                           .cgroup_kills_path = state_dir_->File("cgroup-kills")});
  reconciler_ = std::make_unique<Reconciler>(
      Reconciler::Sources{.session = session_,
                          .probe = probe_.get(),
                          .events = events_.get(),
                          .journal = journal_.get(),
                          .evidence = evidence_.get(),
                          .kernel_kills = [] { return ReadKernelKills(); },
                          .last_seen_path = state_dir_->File("last-seen")});
}

MatchOptions RunningAgent::MatchOptionsNow() const {
  return {state_dir_->File("attachment-base"), state_dir_->File("taking-older"), BeginsEvent};
}

// What older layouts hold comes first: it is older, and no kill that is there was missed.
Started RunningAgent::StartCapture() {
  const auto mark = MarkEarlier(*journal_, MatchOptionsNow(), probe_->attachment());
  if (!mark) {
    return Fail(CodeOf(mark.error()), mark.error());
  }
  auto ring = RingReader::Map(probe_->ring_fd(), probe_->ring_bytes(), redactor_.get());
  if (!ring) {
    return Fail(ExitCode::kFailure, ring.error());
  }
  const auto duplicates = TakeOlder(*probe_, **ring, *journal_, session_.id, redactor_.get());
  if (!duplicates) {
    return Fail(CodeOf(duplicates.error()), duplicates.error());
  }
  const auto left_out = LeaveOutEarlier(*journal_, *mark, MatchOptionsNow(), probe_->attachment());
  if (!left_out) {
    return Fail(CodeOf(left_out.error()), left_out.error());
  }
  const auto last = journal_->LastId();
  if (last) {
    OnCommitted(*last);
  }
  reconciler_->TellAbsence(last ? KillsBetween(mark->journal_last, *last) : 0);
  ForgetEarlier(MatchOptionsNow());
  auto capture =
      Capture::Start({.ring_fd = probe_->ring_fd(),
                      .ring = std::move(*ring),
                      .journal = *journal_,
                      .session_id = session_.id,
                      .duplicates = *duplicates,
                      .on_committed = [this](int64_t last_id) { OnCommitted(last_id); }});
  if (!capture) {
    return Fail(CodeOf(capture.error()), capture.error());
  }
  capture_ = std::move(*capture);
  reconciler_->Watch([this] { return capture_->ring_pending_bytes(); });
  return {};
}

void RunningAgent::StartReporter() {
  files_ = std::make_unique<FileStatsReader>(*journal_, *store_);
  reporter_ = std::make_unique<NodeReporter>(
      NodeReporter::Sources{.identity = IdentityOf(config_, session_),
                            .missing = missing_,
                            .probe = probe_.get(),
                            .capture = capture_.get(),
                            .reconciler = reconciler_.get(),
                            .events = events_.get(),
                            .store = store_.get(),
                            .files = files_.get(),
                            .containers = ReportMemory(memory_, reclaim_, containers_),
                            .uplink = [this] { return UplinkNow(); },
                            .has_collector = !config_.collector.empty()});
}

void RunningAgent::OnCommitted(int64_t last_id) {
  probe_->attachment().journal_last_id = static_cast<__u64>(last_id);
  events_->Notify();
}

void RunningAgent::TellMovedAside() {
  std::vector<Gap> gaps = MovedAsideGaps(*journal_, *store_, probe_ != nullptr);
  for (Gap& gap : gaps) {
    if (reconciler_ == nullptr) {
      events_->ReportGap(std::move(gap), session_);
    } else {
      reconciler_->Report(std::move(gap));
    }
  }
  if (!gaps.empty() && events_->Flush()) {
    NoteMovedAsideTold(*journal_, *store_);
  }
}

Started RunningAgent::StartUplink() {
  if (config_.collector.empty()) {
    return {};
  }
  transport_ = std::make_unique<GrpcTransport>(
      GrpcTransport::Options{.tls = Tls(), .allow_plaintext = config_.insecure});
  Uplink::Options options;
  options.collectors = config_.collector;
  options.session.node = reporter_->Report().node();
  options.session.agent_version = OOMBOX_VERSION;
  options.session.report = [this] { return reporter_->Report(); };
  {
    const std::lock_guard lock(uplink_mutex_);
    uplink_ = std::make_unique<Uplink>(*store_, *transport_, std::move(options));
  }
  uplink_->Start();  // only now: its first report tells of itself
  return {};
}

Started RunningAgent::StartServer() {
  const std::string address = "unix:" + config_.socket;
  const auto credentials = ServerCredentials(address, {}, false);
  if (!credentials) {
    return Fail(ExitCode::kUsage, credentials.error());
  }
  auto server = QueryServer::Start({.listen = {{.address = address, .credentials = *credentials}},
                                    .component = "oombox-agent",
                                    .version = OOMBOX_VERSION},
                                   *store_, *reporter_);
  if (!server) {
    const bool in_use = server.error().code == ErrorCode::kUnavailable;
    return Fail(in_use ? ExitCode::kInUse : ExitCode::kCannotCreate, server.error());
  }
  server_ = std::move(*server);
  return {};
}

Started RunningAgent::StartMetrics() {
  if (config_.metrics_listen.empty()) {
    return {};
  }
  auto metrics =
      ServeNodeMetrics(config_.metrics_listen, {.report = [this] { return reporter_->Report(); },
                                                .kills = kills_,
                                                .labels = config_.metrics_labels});
  if (!metrics) {
    return Fail(CodeOf(metrics.error()), metrics.error());
  }
  metrics_ = std::move(*metrics);
  spdlog::info("metrics on {} port={}", config_.metrics_listen, metrics_->port());
  return {};
}

}  // namespace

tl::expected<std::unique_ptr<Agent>, StartFailure> Agent::Start(const AgentConfig& config) {
  auto agent = std::make_unique<RunningAgent>(config);
  if (Started started = agent->Start(); !started) {
    return tl::unexpected(std::move(started).error());
  }
  return agent;
}

}  // namespace oombox
