#include "agent/node_metrics.h"

#include <google/protobuf/util/time_util.h>

#include <array>
#include <utility>

#include "agent/common/metric_list.h"
#include "agent/latency_report.h"

namespace oombox {

namespace {

double Seconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / kNsPerSecond;
}

double Seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() / kNsPerSecond;
}

// double holds every integer below 2^53: more kills or bytes than there will be.
double Number(uint64_t value) { return static_cast<double>(value); }

// kernel = captured + dropped + double counted + gap.
void AddIdentity(const v1::KillAccounting& accounting, MetricList& list) {
  if (accounting.has_kernel_kills()) {
    list.Counter("oombox_kills_kernel_total",
                 "OOM kills the kernel counted (oom_kill in /proc/vmstat) since the programs were "
                 "attached: the sum of oombox_kills_captured_total, _dropped_, _double_counted_ "
                 "and _gap_.",
                 Number(accounting.kernel_kills()));
  }
  list.Counter("oombox_kills_captured_total", "OOM kills whose record was captured.",
               Number(accounting.captured()));
  const std::string dropped_help =
      "OOM kills that were seen and lost: the kernel's ring was full (ring_full), or the program "
      "was already running on that CPU (recursion).";
  list.Counter("oombox_kills_dropped_total", dropped_help, Number(accounting.dropped_ring_full()),
               {{"cause", "ring_full"}});
  if (accounting.has_dropped_recursion()) {
    list.Counter("oombox_kills_dropped_total", dropped_help, Number(accounting.dropped_recursion()),
                 {{"cause", "recursion"}});
  }
  list.Counter("oombox_kills_double_counted_total",
               "OOM kills that the kernel itself counted a second time (memory.oom.group).",
               Number(accounting.double_counted()));
  list.Counter("oombox_kills_gap_total",
               "OOM kills the kernel counted that nothing explains; each is in a gap event.",
               Number(accounting.gap()));
}

void AddBesideTheIdentity(const v1::KillAccounting& accounting, MetricList& list) {
  list.Counter("oombox_marks_already_dying_total",
               "Marks of the OOM killer on tasks that were dying already: no kills.",
               Number(accounting.already_dying()));
  list.Counter("oombox_records_duplicate_total",
               "Records read twice, after a crash or in an upgrade, and recognised.",
               Number(accounting.duplicates()));
  list.Counter("oombox_rankings_skipped_total",
               "Kills whose memory users were not ranked: ranking was over its time budget.",
               Number(accounting.rankings_skipped()));
  list.Counter("oombox_decisions_missed_total",
               "Kills whose limit is inferred: the kernel's decision was not found on its stack.",
               Number(accounting.decisions_missed()));
  list.Counter("oombox_signals_skipped_total",
               "Signals beside kills that were not recorded: too many, or the ring was full.",
               Number(accounting.signals_skipped()));
  list.Counter("oombox_cmdlines_unread_total",
               "Victims whose command line could not be read any more.",
               Number(accounting.cmdlines_unread()));
}

void AddEvents(const v1::KillAccounting& accounting, MetricList& list) {
  list.Counter("oombox_events_total", "OOM events (episodes) made of the captured records.",
               Number(accounting.events()));
  const std::string lost_help =
      "OOM kills that were captured and are no events: their record could not be decoded "
      "(undecodable; its bytes are kept), or was in a file that was damaged or is gone "
      "(damaged_file); each is in a gap event.";
  list.Counter("oombox_kills_lost_total", lost_help, Number(accounting.undecodable()),
               {{"cause", "undecodable"}});
  list.Counter("oombox_kills_lost_total", lost_help, Number(accounting.lost_damaged()),
               {{"cause", "damaged_file"}});
}

void AddCoverage(const v1::Coverage& coverage, MetricList& list) {
  constexpr std::array<std::pair<const char*, v1::Coverage::State>, 3> kStates = {
      {{"complete", v1::Coverage::STATE_COMPLETE},
       {"incomplete", v1::Coverage::STATE_INCOMPLETE},
       {"unknown", v1::Coverage::STATE_UNKNOWN}}};
  // What a newer version may say is unknown to this one.
  const v1::Coverage::State state = coverage.state() == v1::Coverage::STATE_UNSPECIFIED
                                        ? v1::Coverage::STATE_UNKNOWN
                                        : coverage.state();
  for (const auto& [name, value] : kStates) {
    list.Gauge("oombox_coverage", "1 for the state of this node's watch, 0 for the others.",
               state == value ? 1 : 0, {{"state", name}});
  }
  if (state == v1::Coverage::STATE_COMPLETE && coverage.has_complete_since()) {
    list.Gauge("oombox_coverage_complete_since_timestamp_seconds",
               "Unix time since when every kill is an event.", Seconds(coverage.complete_since()));
  }
  for (const v1::MissingField& missing : coverage.unavailable()) {
    list.Gauge("oombox_feature_unavailable",
               "1 for each feature that this kernel or configuration does not give.", 1,
               {{"feature", missing.field()}});
  }
}

void AddAttachment(const v1::Attachment& attachment, MetricList& list) {
  if (attachment.has_attach_time()) {
    list.Gauge("oombox_attach_timestamp_seconds",
               "Unix time when the programs were attached; the oombox_kills counters begin there.",
               Seconds(attachment.attach_time()));
  }
  list.Gauge("oombox_pinned",
             "1 when the programs are pinned in bpffs and record while no agent runs.",
             attachment.pin_path().empty() ? 0 : 1);
  list.Gauge("oombox_adopted", "1 when this agent took over programs of an earlier one.",
             attachment.adopted() ? 1 : 0);
  list.Gauge("oombox_adopted_backlog_bytes",
             "Bytes of kill records that waited in the ring when this agent took over.",
             Number(attachment.backlog_bytes()));
}

void AddStages(const v1::NodeReport& report, MetricList& list) {
  for (const v1::StageHealth& stage : report.stages()) {
    const bool stalled = stage.state() == v1::StageHealth::STATE_STALLED;
    const MetricList::Labels labels = {{"stage", stage.name()}};
    list.Gauge("oombox_stage_stalled", "1 when the stage has work and makes no progress.",
               stalled ? 1 : 0, labels);
    list.Gauge("oombox_stage_stalled_seconds",
               "For how long the stage has made no progress; 0 when it works.",
               stalled ? Seconds(stage.stalled_for()) : 0, labels);
  }
}

void AddDepths(const v1::PipelineDepths& depths, bool watching, MetricList& list) {
  if (watching) {
    list.Gauge("oombox_ring_pending_bytes", "Bytes that wait in the kernel's ring.",
               Number(depths.ring_bytes()));
  }
  if (depths.has_age()) {
    return;  // journal or store did not answer: no sample is of now
  }
  list.Gauge("oombox_journal_pending_kills", "Kills in the journal that are no events yet.",
             Number(depths.journal_pending()));
  list.Gauge("oombox_journal_bytes", "Size of the journal of raw records.",
             Number(depths.journal_bytes()));
  list.Gauge("oombox_store_bytes", "Size of the event store.", Number(depths.store_bytes()));
  list.Counter("oombox_store_evicted_unacknowledged_total",
               "Events removed from this node that no collector had taken.",
               Number(depths.evicted_unacknowledged()));
  if (depths.has_refused()) {
    list.Gauge("oombox_store_refused_events",
               "Events on this node that the collector refused for good.",
               Number(depths.refused()));
  }
  if (depths.has_unacknowledged()) {
    list.Gauge("oombox_store_unacknowledged_events", "Events that no collector has acknowledged.",
               Number(depths.unacknowledged()));
  }
}

void AddUplink(const v1::NodeReport& report, MetricList& list) {
  const v1::UplinkReport& uplink = report.uplink();
  list.Gauge("oombox_uplink_connected", "1 while a collector is connected.",
             report.collector().empty() ? 0 : 1);
  list.Counter("oombox_uplink_attempts_total", "Attempts to reach a collector.",
               Number(uplink.attempts()));
  list.Counter("oombox_uplink_connects_total",
               "Streams that a collector greeted; all but the first are reconnects.",
               Number(uplink.connects()));
  list.Counter("oombox_uplink_sent_events_total",
               "Events sent to a collector, repetitions included.", Number(uplink.sent()));
  list.Counter("oombox_uplink_acknowledged_events_total",
               "Events a collector acknowledged: it has committed them.",
               Number(uplink.acknowledged()));
  list.Counter("oombox_uplink_rejected_events_total",
               "Events refused for good, or too big to be sent; they stay on the node.",
               Number(uplink.rejected()));
}

void AddLatencies(const v1::NodeReport& report, MetricList& list) {
  if (report.has_kill_to_journal()) {
    list.Histogram("oombox_kill_to_journal_seconds",
                   "From the kernel's mark until the record was committed to the journal.",
                   FromLatencyReport(report.kill_to_journal()), kNsPerSecond);
  }
  if (report.has_kill_to_store()) {
    list.Histogram("oombox_kill_to_store_seconds",
                   "From the kernel's mark until the event was committed to the store.",
                   FromLatencyReport(report.kill_to_store()), kNsPerSecond);
  }
}

// process_*: the names under which every Prometheus client library tells the same.
void AddCost(const v1::NodeReport& report, MetricList& list) {
  const v1::AgentCost& cost = report.cost();
  if (report.has_agent_start_time()) {
    list.Gauge("process_start_time_seconds", "Unix time when the agent started.",
               Seconds(report.agent_start_time()));
  }
  if (cost.resident_bytes() > 0) {
    list.Gauge("process_resident_memory_bytes", "Resident memory of the agent.",
               Number(cost.resident_bytes()));
  }
  if (cost.has_cpu_time()) {
    list.Counter("process_cpu_seconds_total", "User and system time of the agent.",
                 Seconds(cost.cpu_time()));
  }
  if (cost.has_bpf_run_time()) {
    list.Counter("oombox_bpf_run_seconds_total",
                 "Time spent in the programs at kills since they were attached.",
                 Seconds(cost.bpf_run_time()));
  }
  if (cost.has_bpf_longest_run()) {
    list.Gauge("oombox_bpf_longest_run_seconds", "The longest single run of the programs.",
               Seconds(cost.bpf_longest_run()));
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> NodeMetrics(const v1::NodeReport& report,
                                                  const LabelNames& labels,
                                                  const std::vector<KillTally::Series>& kills) {
  MetricList list;
  list.Gauge("oombox_build_info", "Always 1; the labels say what runs.", 1,
             {{"component", "oombox-agent"}, {"version", report.agent_version()}});
  // A replay watches no kernel: its kill counts would be zeros that nobody counted.
  const bool watching = !report.replayed();
  if (watching && report.has_accounting()) {
    AddIdentity(report.accounting(), list);
    AddBesideTheIdentity(report.accounting(), list);
  }
  AddEvents(report.accounting(), list);
  AddCoverage(report.coverage(), list);
  if (report.has_attachment()) {
    AddAttachment(report.attachment(), list);
  }
  AddStages(report, list);
  AddDepths(report.depths(), watching, list);
  if (report.has_uplink()) {
    AddUplink(report, list);
  }
  AddLatencies(report, list);
  AddCost(report, list);
  AddMemoryMetrics(report, labels, list);
  AddKillMetrics(kills, list);
  return list.Take();
}

Result<std::unique_ptr<MetricsServer>> ServeNodeMetrics(const std::string& address,
                                                        MetricsSources sources) {
  return MetricsServer::Start(address, [sources = std::move(sources)] {
    return NodeMetrics(sources.report(), sources.labels, sources.kills->Get());
  });
}

}  // namespace oombox
