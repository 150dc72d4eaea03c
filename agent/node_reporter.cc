#include "agent/node_reporter.h"

#include <google/protobuf/util/time_util.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "agent/common/clock.h"
#include "agent/machine.h"
#include "agent/node_report_parts.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

}  // namespace

NodeReporter::NodeReporter(Sources sources)
    : sources_(std::move(sources)), start_wall_ns_(WallNowNs()) {
  Tick();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

NodeReporter::~NodeReporter() {
  thread_.request_stop();
  thread_.join();
  if (sources_.reconciler != nullptr) {
    sources_.reconciler->Finish();
  }
}

void NodeReporter::Run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "oom-report");
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, kInterval, [] { return false; });
    }
    if (!stop.stop_requested()) {
      Tick();
    }
  }
}

void NodeReporter::Tick() {
  if (const auto retained = sources_.store->Retain(WallNowNs()); !retained) {
    spdlog::warn("old events could not be removed: {}", retained.error().message);
  }
  if (const auto retained = sources_.events->RetainJournal(WallNowNs()); !retained) {
    spdlog::warn("old journal entries could not be removed: {}", retained.error().message);
  }
  if (sources_.reconciler != nullptr) {
    sources_.reconciler->Look();
  }
}

v1::NodeReport NodeReporter::Report() {
  v1::NodeReport report;
  *report.mutable_node() = sources_.identity;
  *report.mutable_report_time() = TimeUtil::NanosecondsToTimestamp(WallNowNs());
  *report.mutable_agent_start_time() = TimeUtil::NanosecondsToTimestamp(start_wall_ns_);
  report.set_agent_version(OOMBOX_VERSION);
  report.set_store_epoch(sources_.store->epoch());
  report.set_replayed(sources_.probe == nullptr);
  const EventStage::Counters events = sources_.events->counters();
  report.mutable_accounting()->set_events(events.events);
  report.mutable_accounting()->set_undecodable(events.undecodable);
  if (sources_.probe != nullptr) {
    FillAccounting(*sources_.probe, *sources_.capture, *sources_.reconciler, events, report);
    FillAttachment(*sources_.probe, *sources_.capture, report);
  }
  FillDepths(sources_, report);
  FillStages(sources_, report);
  if (sources_.containers) {
    sources_.containers(report);
    if (report.has_pressure_watch()) {
      report.mutable_pressure_watch()->set_events_lost(events.pressures_lost);
    }
  }
  if (const auto uplink = sources_.uplink()) {
    report.set_collector(uplink->connected_to);
    FillUplink(*uplink, report);
  }
  const OwnCost cost = ReadOwnCost();
  report.mutable_cost()->set_resident_bytes(cost.resident_bytes);
  *report.mutable_cost()->mutable_cpu_time() = TimeUtil::NanosecondsToDuration(cost.cpu_time_ns);
  FillCoverage(sources_, report);
  return report;
}

Result<std::vector<v1::NodeStatus>> NodeReporter::Nodes() {
  v1::NodeStatus status;
  *status.mutable_report() = Report();
  status.set_connected(true);
  *status.mutable_last_report_age() = TimeUtil::NanosecondsToDuration(0);
  *status.mutable_coverage() = status.report().coverage();
  return std::vector<v1::NodeStatus>{std::move(status)};
}

Result<v1::NodeReport> NodeReporter::FreshReport(const std::string& node_name,
                                                 std::chrono::milliseconds /*timeout*/) {
  if (!node_name.empty() && node_name != sources_.identity.node_name()) {
    return MakeError(ErrorCode::kNotFound,
                     "this agent is node \"{}\"; ask the collector for others",
                     sources_.identity.node_name());
  }
  return Report();
}

}  // namespace oombox
