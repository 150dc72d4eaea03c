#include "tools/collector/ingest_hub.h"

#include <spdlog/spdlog.h>

namespace oombox {

namespace {

// A node that comes back while its old stream lingers needs a second one for a moment.
constexpr size_t kSpareStreams = 64;

tl::unexpected<Error> Stopping() {
  return MakeError(ErrorCode::kUnavailable, "the collector is stopping");
}

}  // namespace

IngestHub::IngestHub(EventStore& store, const Options& options)
    : collector_epoch_(store.epoch()),
      max_streams_(2 * options.max_agents + kSpareStreams),
      registry_(options.max_agents),
      writer_(store, coverage_, options.wall_now) {}

Status IngestHub::LoadReports(EventStore& store) {
  OOMBOX_TRY(const auto reports, store.Reports());
  coverage_.Load(reports);
  return {};
}

Result<std::shared_ptr<AgentLink>> IngestHub::OpenLink(const std::string& peer) {
  if (stopping_) {
    return Stopping();
  }
  if (streams_.fetch_add(1) >= max_streams_) {
    --streams_;
    return MakeError(ErrorCode::kExhausted, "too many streams are open: raise max-agents");
  }
  return std::make_shared<AgentLink>(*this, budget_, collector_epoch_, peer);
}

void IngestHub::Stop() {
  stopping_ = true;
  writer_.Stop();
  for (const auto& link : registry_.All()) {
    link->Close(Stopping());
  }
}

Status IngestHub::Admit(const std::shared_ptr<AgentLink>& link) {
  OOMBOX_TRY(const auto replaced, registry_.Add(link));
  if (replaced != nullptr) {
    spdlog::warn("node={} connected again from peer={}: its stream from peer={} is closed",
                 link->node().node_name(), link->peer(), replaced->peer());
    replaced->Close(
        MakeError(ErrorCode::kUnavailable,
                  "another agent with the same node name has connected: names must differ"));
  } else {
    spdlog::info("agent connected node={} cluster={} version={} peer={}", link->node().node_name(),
                 link->node().cluster_name(), link->agent_version(), link->peer());
  }
  if (stopping_) {
    return Stopping();  // Stop may have looked at the registry before this link was there
  }
  return {};
}

void IngestHub::Ready(const std::shared_ptr<AgentLink>& link) { writer_.Ready(link); }

void IngestHub::Answer(const AgentLink& link, const v1::QueryResult& result) {
  queries_.Answer(link, result);
}

void IngestHub::Left(const AgentLink& link) {
  --streams_;
  queries_.Abandon(link);
  if (registry_.Remove(link)) {
    spdlog::info("agent disconnected node={} peer={}", link.node().node_name(), link.peer());
  }
}

}  // namespace oombox
