#include "agent/node_report_parts.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>
#include <vector>

#include "agent/common/clock.h"
#include "agent/latency_report.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

google::protobuf::Duration DurationOf(uint64_t ns) {
  return TimeUtil::NanosecondsToDuration(static_cast<int64_t>(ns));
}

void AddStage(const char* name, const StageStall& stall, v1::NodeReport& report) {
  v1::StageHealth* stage = report.add_stages();
  stage->set_name(name);
  const uint64_t now = BootNowNs();
  const auto stalled = stall.Look(now);
  stage->set_state(stalled ? v1::StageHealth::STATE_STALLED : v1::StageHealth::STATE_OK);
  if (stalled) {
    *stage->mutable_stalled_for() = DurationOf(now - stalled->since_boottime_ns);
    stage->set_reason(stalled->reason);
  }
}

// Every reason why kills are or may be missing, joined.
std::string ReasonOf(const v1::NodeReport& report) {
  const v1::KillAccounting& accounting = report.accounting();
  std::vector<std::string> reasons;
  const auto add = [&](uint64_t count, fmt::format_string<uint64_t&> text) {
    if (count > 0) {
      reasons.push_back(fmt::format(text, count));
    }
  };
  add(accounting.dropped_ring_full(), "{} kills dropped, the ring was full");
  add(accounting.dropped_recursion(), "{} kills dropped, the kernel skipped the program");
  add(accounting.gap(), "the kernel counted {} kills that were not seen");
  add(accounting.undecodable(), "{} records could not be decoded");
  add(accounting.lost_damaged(), "{} kills were in files that were damaged or are gone");
  for (const v1::StageHealth& stage : report.stages()) {
    if (stage.state() == v1::StageHealth::STATE_STALLED && stage.name() == "capture") {
      reasons.emplace_back("the journal cannot be written; kills wait in the kernel's ring");
    }
    if (stage.state() == v1::StageHealth::STATE_STALLED && stage.name() == "event") {
      reasons.emplace_back("events cannot be stored; kills wait in the journal");
    }
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

}  // namespace

v1::NodeIdentity IdentityOf(const AgentConfig& config, const JournalSession& session) {
  v1::NodeIdentity identity;
  identity.set_cluster_name(config.cluster);
  identity.set_node_name(config.node_name);
  identity.set_boot_id(session.boot_id);
  identity.set_kernel_release(session.kernel_release);
  identity.set_memory_total_bytes(session.memory_total_bytes);
  return identity;
}

// The programs' counters are read before the kernel's, so that the kernel's is never behind.
void FillAccounting(const KillProbe& probe, const Capture& capture, const Reconciler& reconciler,
                    const EventStage::Counters& events, v1::NodeReport& report) {
  v1::KillAccounting* accounting = report.mutable_accounting();
  const oombox_attachment& attachment = probe.attachment();
  const oombox_kill_counters seen = probe.Counters();
  const KillCounts counts = reconciler.counts();
  if (const auto kernel = reconciler.KernelKills()) {
    accounting->set_kernel_kills(*kernel);
  }
  const uint64_t dropped = seen.dropped_ring_full - attachment.base_dropped_ring_full;
  accounting->set_captured(seen.kills - attachment.base_kills - dropped);
  accounting->set_dropped_ring_full(dropped);
  accounting->set_double_counted(seen.double_counted - attachment.base_double_counted);
  accounting->set_already_dying(seen.already_dying);
  accounting->set_gap(counts.unexplained);
  accounting->set_lost_damaged(attachment.damaged.telling + attachment.gone_kills);
  accounting->set_duplicates(capture.duplicates());
  accounting->set_rankings_skipped(seen.rankings_skipped);
  accounting->set_decisions_missed(seen.decisions_missed);
  accounting->set_signals_skipped(seen.signals_skipped + events.no_kills_skipped);
  accounting->set_cmdlines_unread(seen.cmdlines_unread);
  if (probe.RecursionMisses()) {
    accounting->set_dropped_recursion(counts.recursion);
  }
  *report.mutable_cost()->mutable_bpf_run_time() = DurationOf(seen.run_ns);
  *report.mutable_cost()->mutable_bpf_longest_run() = DurationOf(seen.longest_run_ns);
}

void FillAttachment(const KillProbe& probe, const Capture& capture, v1::NodeReport& report) {
  v1::Attachment* attachment = report.mutable_attachment();
  *attachment->mutable_attach_time() =
      TimeUtil::NanosecondsToTimestamp(static_cast<int64_t>(probe.attachment().attach_wall_ns));
  attachment->set_pin_path(probe.info().pin_path);
  attachment->set_adopted(probe.info().adopted);
  attachment->set_backlog_bytes(capture.backlog_bytes());
}

void FillDepths(const NodeReporter::Sources& sources, v1::NodeReport& report) {
  v1::PipelineDepths* depths = report.mutable_depths();
  if (sources.capture != nullptr) {
    depths->set_ring_bytes(sources.capture->ring_pending_bytes());
  }
  const FileStatsReader::Stats files = sources.files->Get();
  if (files.age_ns) {
    *depths->mutable_age() = DurationOf(*files.age_ns);
  }
  if (files.journal_last_id) {
    depths->set_journal_pending(sources.events->PendingUpTo(*files.journal_last_id));
  }
  if (files.journal_bytes) {
    depths->set_journal_bytes(*files.journal_bytes);
  }
  if (const auto& stats = files.store) {
    if (sources.probe != nullptr) {
      // Fewer while what was captured before is derived again.
      const uint64_t before = sources.probe->attachment().base_events;
      report.mutable_accounting()->set_events(std::max(stats->oom_events_ever, before) - before);
    }
    depths->set_store_bytes(stats->bytes);
    depths->set_evicted_unacknowledged(stats->evicted_unacknowledged);
    depths->set_unreadable_events(stats->unreadable);
    depths->set_last_seq(stats->last_seq);
    if (sources.has_collector) {
      depths->set_unacknowledged(stats->unacknowledged);
      depths->set_refused(stats->refused);
      if (stats->missing_time_ns != 0) {
        *depths->mutable_removed_until() = TimeUtil::NanosecondsToTimestamp(stats->missing_time_ns);
      }
    }
  }
}

void FillStages(const NodeReporter::Sources& sources, v1::NodeReport& report) {
  if (sources.capture != nullptr) {
    AddStage("capture", sources.capture->stall(), report);
    *report.mutable_kill_to_journal() = ToLatencyReport(sources.capture->latency().Snapshot());
    *report.mutable_kill_to_store() = ToLatencyReport(sources.events->latency().Snapshot());
  }
  AddStage("event", sources.events->stall(), report);
}

void FillUplink(const UplinkStatus& uplink, v1::NodeReport& report) {
  v1::UplinkReport* out = report.mutable_uplink();
  out->set_attempts(uplink.attempts);
  out->set_connects(uplink.connects);
  out->set_sent(uplink.events.sent);
  out->set_acknowledged(uplink.events.acknowledged);
  out->set_rejected(uplink.events.rejected);
  out->set_last_error(uplink.last_error);
  v1::StageHealth* stage = report.add_stages();
  stage->set_name("uplink");
  const bool stalled = uplink.stalled_boottime_ns != 0;
  stage->set_state(stalled ? v1::StageHealth::STATE_STALLED : v1::StageHealth::STATE_OK);
  if (stalled) {
    stage->set_reason(uplink.last_error);
    *stage->mutable_stalled_for() = DurationOf(BootNowNs() - uplink.stalled_boottime_ns);
  }
}

void FillCoverage(const NodeReporter::Sources& sources, v1::NodeReport& report) {
  v1::Coverage* coverage = report.mutable_coverage();
  if (sources.probe == nullptr) {
    coverage->set_state(v1::Coverage::STATE_UNKNOWN);
    coverage->set_reason("a recording is replayed, the kernel is not watched");
    return;
  }
  for (const auto* list : {&sources.probe->missing(), &sources.missing}) {
    for (const MissingFeature& missing : *list) {
      v1::MissingField* unavailable = coverage->add_unavailable();
      unavailable->set_field(missing.feature);
      unavailable->set_reason(missing.reason);
    }
  }
  if (const auto skipped = report.accounting().rankings_skipped(); skipped > 0) {
    v1::MissingField* unavailable = coverage->add_unavailable();
    unavailable->set_field("top_users");
    unavailable->set_reason(fmt::format(
        "{} kills without a ranking: it was over its time budget (rank-budget-us)", skipped));
  }
  const oombox_attachment& attachment = sources.probe->attachment();
  *coverage->mutable_complete_since() = TimeUtil::NanosecondsToTimestamp(
      static_cast<int64_t>(std::max(attachment.attach_wall_ns, attachment.gone_wall_ns)));
  if (!report.accounting().has_kernel_kills()) {
    coverage->set_state(v1::Coverage::STATE_UNKNOWN);
    coverage->set_reason("the kernel's own count (oom_kill in /proc/vmstat) cannot be read");
    return;
  }
  coverage->set_reason(ReasonOf(report));
  if (coverage->reason().empty() && report.depths().has_age()) {
    coverage->set_state(v1::Coverage::STATE_UNKNOWN);
    coverage->set_reason(
        fmt::format("journal or event store does not answer, what is known of them is {} s old",
                    TimeUtil::DurationToSeconds(report.depths().age()) + 1));
    return;
  }
  coverage->set_state(coverage->reason().empty() ? v1::Coverage::STATE_COMPLETE
                                                 : v1::Coverage::STATE_INCOMPLETE);
}

}  // namespace oombox
