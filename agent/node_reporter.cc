#include "agent/node_reporter.h"

#include <google/protobuf/util/time_util.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "agent/common/clock.h"
#include "agent/last_seen.h"
#include "agent/machine.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

}  // namespace

NodeReporter::NodeReporter(Sources sources)
    : sources_(std::move(sources)),
      start_wall_ns_(WallNowNs()),
      accounting_(sources_.kernel_kills_at_attach, sources_.seen_at_attach),
      last_tick_wall_ns_(start_wall_ns_) {
  Tick();
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

NodeReporter::~NodeReporter() {
  thread_.request_stop();
  thread_.join();
  if (sources_.probe != nullptr) {
    RememberAgreement();
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
  if (sources_.probe == nullptr) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    // The kernel's count first: a kill in between must not look like one that was missed.
    const auto kernel = ReadKernelKills();
    counts_ = accounting_.Look(kernel, sources_.probe->Counters());
    ReportGaps(counts_);
    last_tick_wall_ns_ = WallNowNs();
  }
  RememberAgreement();
}

// Only a moment without a kill in flight will do: the kernel's count read between two equal looks
// at ours, every record of the ring in the journal, every difference a stored gap.
void NodeReporter::RememberAgreement() {
  const oombox_kill_counters before = sources_.probe->Counters();
  const auto journal_id = sources_.journal->LastId();
  const auto kernel = ReadKernelKills();
  const bool quiet = sources_.probe->Counters().kills == before.kills &&
                     sources_.capture->committed() == before.submitted;
  if (!quiet || !journal_id || !kernel || !sources_.kernel_kills_at_attach ||
      !sources_.events->GapsStored()) {
    return;
  }
  const uint64_t ours = before.kills + before.double_counted - sources_.seen_at_attach;
  if (*kernel - *sources_.kernel_kills_at_attach != ours + gaps_reported_) {
    return;
  }
  const auto written = WriteLastSeen(sources_.last_seen_path, {.boot_id = sources_.session.boot_id,
                                                               .kernel_kills = *kernel,
                                                               .journal_id = *journal_id,
                                                               .wall_ns = WallNowNs()});
  if (!written && !std::exchange(last_seen_failing_, true)) {
    spdlog::warn("{}", written.error().message);
  } else if (written) {
    last_seen_failing_ = false;
  }
}

void NodeReporter::ReportGaps(const KillCounts& counts) {
  const auto report = [this](v1::GapEvent::Cause cause, uint64_t count, uint64_t total,
                             std::string detail) {
    spdlog::error("kills lost: {} ({})", count, detail);
    sources_.events->ReportGap({.cause = cause,
                                .start_wall_ns = last_tick_wall_ns_,
                                .end_wall_ns = WallNowNs(),
                                .count = count,
                                .detail = std::move(detail),
                                .key = fmt::format("{}/{}", start_wall_ns_, total)},
                               sources_.session);
  };
  if (const uint64_t dropped = counts.seen.dropped_ring_full; dropped > drops_reported_) {
    report(v1::GapEvent::CAUSE_RING_FULL, dropped - drops_reported_, dropped,
           "the kernel's ring was full: the journal could not keep up");
    drops_reported_ = dropped;
  }
  if (counts.unexplained > gaps_reported_) {
    report(v1::GapEvent::CAUSE_UNEXPLAINED, counts.unexplained - gaps_reported_, counts.unexplained,
           "the kernel counted kills that the programs did not see");
    gaps_reported_ = counts.unexplained;
  }
}

v1::NodeReport NodeReporter::Report() {
  v1::NodeReport report;
  *report.mutable_node() = sources_.identity;
  *report.mutable_report_time() = TimeUtil::NanosecondsToTimestamp(WallNowNs());
  *report.mutable_agent_start_time() = TimeUtil::NanosecondsToTimestamp(start_wall_ns_);
  report.set_agent_version(OOMBOX_VERSION);
  report.set_store_epoch(sources_.store->epoch());
  report.set_collector(sources_.collector());
  report.set_replayed(sources_.probe == nullptr);
  {
    const std::lock_guard lock(mutex_);
    FillCoverage(report);
    FillAccounting(report);
  }
  FillDepths(report);
  const OwnCost cost = ReadOwnCost();
  report.mutable_cost()->set_resident_bytes(cost.resident_bytes);
  *report.mutable_cost()->mutable_cpu_time() = TimeUtil::NanosecondsToDuration(cost.cpu_time_ns);
  if (sources_.probe != nullptr) {
    if (const auto run_time = sources_.probe->RunTimeNs()) {
      *report.mutable_cost()->mutable_bpf_run_time() =
          TimeUtil::NanosecondsToDuration(static_cast<int64_t>(*run_time));
    }
  }
  return report;
}

void NodeReporter::FillCoverage(v1::NodeReport& report) const {
  v1::Coverage* coverage = report.mutable_coverage();
  if (sources_.probe == nullptr) {
    coverage->set_state(v1::Coverage::STATE_UNKNOWN);
    coverage->set_reason("a recording is replayed, the kernel is not watched");
    return;
  }
  for (const MissingFeature& missing : sources_.probe->missing()) {
    auto* unavailable = coverage->add_unavailable();
    unavailable->set_field(missing.feature);
    unavailable->set_reason(missing.reason);
  }
  const oombox_kill_counters& seen = counts_.seen;
  const uint64_t undecodable = sources_.events->counters().undecodable;
  coverage->set_state(v1::Coverage::STATE_INCOMPLETE);
  *coverage->mutable_complete_since() = report.agent_start_time();
  if (!counts_.kernel) {
    coverage->set_state(v1::Coverage::STATE_UNKNOWN);
    coverage->set_reason("the kernel's own count (oom_kill in /proc/vmstat) cannot be read");
  } else if (seen.dropped_ring_full > 0) {
    coverage->set_reason(
        fmt::format("{} kills dropped, the ring was full", seen.dropped_ring_full));
  } else if (counts_.unexplained > 0) {
    coverage->set_reason(
        fmt::format("the kernel counted {} kills that were not seen", counts_.unexplained));
  } else if (undecodable > 0) {
    coverage->set_reason(fmt::format("{} records could not be decoded", undecodable));
  } else if (sources_.capture->stalled()) {
    coverage->set_reason("the journal cannot be written; kills wait in the kernel's ring");
  } else {
    coverage->set_state(v1::Coverage::STATE_COMPLETE);
  }
}

void NodeReporter::FillAccounting(v1::NodeReport& report) const {
  v1::KillAccounting* accounting = report.mutable_accounting();
  const EventStage::Counters events = sources_.events->counters();
  accounting->set_events(events.events);
  accounting->set_undecodable(events.undecodable);
  if (sources_.probe == nullptr) {
    return;
  }
  // Now, not of the last tick: whoever asks after a kill wants to see it. The programs' counters
  // are read first, so that the kernel's is never behind.
  const oombox_kill_counters seen = sources_.probe->Counters();
  if (const auto kernel = ReadKernelKills(); kernel && sources_.kernel_kills_at_attach) {
    accounting->set_kernel_kills(*kernel - *sources_.kernel_kills_at_attach);
  }
  accounting->set_captured(sources_.capture->committed());
  accounting->set_dropped_ring_full(seen.dropped_ring_full);
  accounting->set_double_counted(seen.double_counted);
  accounting->set_already_dying(seen.already_dying);
  if (const auto misses = sources_.probe->RecursionMisses()) {
    accounting->set_dropped_recursion(*misses);
  }
}

void NodeReporter::FillDepths(v1::NodeReport& report) const {
  v1::PipelineDepths* depths = report.mutable_depths();
  depths->set_journal_pending(sources_.events->counters().journal_pending);
  if (sources_.capture != nullptr) {
    depths->set_ring_bytes(sources_.capture->ring_pending_bytes());
  }
  if (const auto stats = sources_.store->Stats()) {
    depths->set_store_bytes(stats->bytes);
    depths->set_evicted_unacknowledged(stats->evicted_unacknowledged);
    if (sources_.has_collector) {
      depths->set_unacknowledged(stats->unacknowledged);
    }
  }
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
