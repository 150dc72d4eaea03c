#include "tools/oombox/render/status_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "tools/oombox/render/accounting.h"
#include "tools/oombox/render/coverage.h"
#include "tools/oombox/render/status_pressure.h"
#include "tools/oombox/render/table.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kMaxReasons = 20;

bool IsCompleteNode(const v1::NodeStatus& node) {
  return node.coverage().state() == v1::Coverage::STATE_COMPLETE;
}

std::string NodeName(const v1::NodeStatus& node) {
  const std::string& name = node.report().node().node_name();
  return name.empty() ? "unknown" : name;
}

std::string SinceText(const v1::NodeStatus& node, int64_t now_ns) {
  if (node.coverage().state() == v1::Coverage::STATE_INCOMPLETE) {
    return "incomplete";
  }
  return IsCompleteNode(node) && node.coverage().has_complete_since()
             ? FormatAge(now_ns - ToNs(node.coverage().complete_since()))
             : "unknown";
}

std::string CostText(const v1::NodeReport& report) {
  if (!report.has_cost() || report.cost().resident_bytes() == 0) {
    return "unknown";
  }
  std::string text = FormatBytes(report.cost().resident_bytes());
  const int64_t lived = ToNs(report.report_time()) - ToNs(report.agent_start_time());
  if (report.cost().has_cpu_time() && report.has_agent_start_time() && lived >= kNsPerSecond) {
    const auto& cpu = report.cost().cpu_time();
    const double used = static_cast<double>(cpu.seconds()) * 1e9 + cpu.nanos();
    text += fmt::format(" {:.1f} %", 100 * used / static_cast<double>(lived));
  }
  return text;
}

std::vector<TableCell> Row(const v1::NodeStatus& node, int64_t now_ns) {
  const v1::NodeReport& report = node.report();
  const std::optional<KillBalance> balance = BalanceOf(node);
  const auto number = [&](auto value) { return balance ? std::to_string(value) : "-"; };
  const std::string kernel = balance && balance->kernel ? std::to_string(*balance->kernel)
                             : balance                  ? "unknown"
                                                        : "-";
  const std::string gap = balance && balance->gap ? std::to_string(*balance->gap)
                          : balance               ? "unknown"
                                                  : "-";
  const bool bad_gap = balance && balance->gap.value_or(0) != 0;
  const bool lost = balance && balance->dropped > 0;
  return {{NodeName(node), Style::kBold},
          {report.agent_version().empty() ? "unknown" : report.agent_version()},
          {SinceText(node, now_ns), IsCompleteNode(node) ? Style::kGreen : Style::kRed},
          {kernel},
          {number(balance ? balance->captured : 0)},
          {number(balance ? balance->events : 0)},
          {number(balance ? balance->dropped : 0), lost ? Style::kRed : Style::kPlain},
          {gap, bad_gap ? Style::kRed : Style::kPlain},
          balance ? PressureCell(report) : TableCell{"-"},
          {node.has_last_report_age() ? FormatAge(node.last_report_age().seconds() * kNsPerSecond)
                                      : "never"},
          {balance ? CostText(report) : "-"}};
}

// The lines below the table, bounded: 2 000 nodes with a word each help nobody.
class Notes {
 public:
  explicit Notes(const Paint& paint) : paint_(paint) {}

  void Add(Style style, std::string_view text) {
    if (shown_++ < kMaxReasons) {
      out_ += paint_(style, fmt::format("! {}", text)) + "\n";
    }
  }
  std::string Take() {
    return shown_ > kMaxReasons ? out_ + fmt::format("! and {} more\n", shown_ - kMaxReasons)
                                : out_;
  }

 private:
  const Paint& paint_;
  std::string out_;
  size_t shown_ = 0;
};

std::string_view OrNoReason(const std::string& reason) {
  return reason.empty() ? std::string_view("it gives no reason") : std::string_view(reason);
}

bool IsUplink(const v1::StageHealth& stage) { return stage.name() == "uplink"; }

bool HasNoCollector(const v1::NodeReport& report) {
  return report.has_uplink() && report.collector().empty();
}

std::vector<v1::StageHealth> StalledStages(const v1::NodeReport& report) {
  std::vector<v1::StageHealth> stalled;
  std::copy_if(
      report.stages().begin(), report.stages().end(), std::back_inserter(stalled),
      [](const v1::StageHealth& stage) { return stage.state() == v1::StageHealth::STATE_STALLED; });
  return stalled;
}

void AddNoCollector(const std::string& name, const v1::NodeReport& report, bool stalled,
                    Notes& notes) {
  const std::string& error = report.uplink().last_error();
  const uint64_t waiting = report.depths().unacknowledged();
  notes.Add(
      stalled ? Style::kRed : Style::kYellow,
      fmt::format("{}  no collector{}{}", name, error.empty() ? "" : ": " + error,
                  waiting > 0 ? fmt::format("; {} waiting", FormatCount(waiting, "event")) : ""));
}

// What ails a node that is heard of, complete or not: its parts, its losses, its way to a
// collector.
void AddAilments(const v1::NodeStatus& node, Notes& notes) {
  const v1::NodeReport& report = node.report();
  const std::string name = NodeName(node);
  const auto stalled = StalledStages(report);
  for (const v1::StageHealth& stage : stalled) {
    if (!(IsUplink(stage) && HasNoCollector(report))) {  // that is told below
      notes.Add(Style::kRed,
                fmt::format("{}  {} stalled for {}: {}", name, stage.name(),
                            FormatAgeLong(ToNs(stage.stalled_for())), OrNoReason(stage.reason())));
    }
  }
  if (const uint64_t evicted = report.depths().evicted_unacknowledged(); evicted > 0) {
    notes.Add(Style::kRed,
              fmt::format("{}  {} removed from the node before a collector had {}{}", name,
                          FormatCount(evicted, "event"), evicted == 1 ? "it" : "them",
                          report.depths().has_removed_until()
                              ? ", up to " + FormatDateTime(ToNs(report.depths().removed_until()))
                              : ""));
  }
  const uint64_t rejected =
      report.depths().has_refused() ? report.depths().refused() : report.uplink().rejected();
  if (rejected > 0) {
    notes.Add(Style::kYellow, fmt::format("{}  {} refused by the collector; kept on the node", name,
                                          FormatCount(rejected, "event")));
  }
  if (report.has_attachment() && report.attachment().pin_path().empty()) {
    notes.Add(Style::kYellow,
              fmt::format("{}  not pinned: kills are recorded only while the agent runs", name));
  }
  if (const uint64_t skipped = report.accounting().rankings_skipped(); skipped > 0) {
    notes.Add(Style::kYellow, fmt::format("{}  {} without memory users: ranking was over its "
                                          "time budget (rank-budget-us)",
                                          name, FormatCount(skipped, "kill")));
  }
  for (const std::string& missing : MissingOfWatch(report)) {
    notes.Add(Style::kYellow, fmt::format("{}  {}", name, missing));
  }
  if (HasNoCollector(report)) {
    AddNoCollector(name, report, std::any_of(stalled.begin(), stalled.end(), IsUplink), notes);
  }
}

std::string Reasons(const std::vector<v1::NodeStatus>& nodes, const Paint& paint) {
  Notes notes(paint);
  for (const v1::NodeStatus& node : nodes) {
    if (!IsCompleteNode(node)) {
      const auto* age = node.has_last_report_age() ? &node.last_report_age() : nullptr;
      notes.Add(Style::kRed,
                fmt::format("{}  {}", NodeName(node), CoverageReason(node.coverage(), age)));
    }
    if (BalanceOf(node)) {
      AddAilments(node, notes);
    }
  }
  return notes.Take();
}

// -v: since when the programs record, and whether they do without an agent.
std::string AttachmentLine(const v1::NodeStatus& node, int64_t now_ns) {
  const v1::NodeReport& report = node.report();
  if (!report.has_attachment()) {
    return "";
  }
  const v1::Attachment& attachment = report.attachment();
  std::string line =
      attachment.has_attach_time()
          ? fmt::format("attached {} ago", FormatAgeLong(now_ns - ToNs(attachment.attach_time())))
          : "attached, unknown since when";
  line += attachment.pin_path().empty() ? ", not pinned" : ", pinned in " + attachment.pin_path();
  if (attachment.adopted()) {
    line += fmt::format(", adopted with a backlog of {}", FormatBytes(attachment.backlog_bytes()));
  }
  return fmt::format("  {}  {}\n", NodeName(node), line);
}

// -v: what waits where.
std::string QueuesLine(const v1::NodeStatus& node) {
  const v1::NodeReport& report = node.report();
  if (!report.has_depths()) {
    return "";
  }
  const v1::PipelineDepths& depths = report.depths();
  std::string line = fmt::format("waiting: ring {}, journal {}", FormatBytes(depths.ring_bytes()),
                                 FormatCount(depths.journal_pending(), "kill"));
  if (depths.has_unacknowledged()) {
    line += fmt::format(", uplink {}", FormatCount(depths.unacknowledged(), "event"));
  }
  if (!report.collector().empty() && !report.uplink().last_error().empty()) {
    line += "; last uplink error: " + report.uplink().last_error();
  }
  return fmt::format("  {}  {}\n", NodeName(node), line);
}

std::string Unavailable(const v1::NodeStatus& node) {
  std::string out;
  for (const v1::MissingField& missing : node.coverage().unavailable()) {
    out += fmt::format("  {}  without {}: {}\n", NodeName(node), missing.field(), missing.reason());
  }
  if (BalanceOf(node) && !node.report().accounting().has_dropped_recursion()) {
    out += fmt::format(
        "  {}  without drops by recursion: its kernel does not count them; they would "
        "be gaps\n",
        NodeName(node));
  }
  return out;
}

std::string Verbose(const std::vector<v1::NodeStatus>& nodes, int64_t now_ns) {
  std::string details;
  std::string unavailable;
  for (const v1::NodeStatus& node : nodes) {
    if (BalanceOf(node)) {
      details += AttachmentLine(node, now_ns) + QueuesLine(node);
      if (const std::string watch = WatchLineOf(node.report()); !watch.empty()) {
        details += fmt::format("  {}  {}\n", NodeName(node), watch);
      }
    }
    unavailable += Unavailable(node);
  }
  return details +
         (unavailable.empty() ? "  every feature is available on every node\n" : unavailable);
}

}  // namespace

bool AllComplete(const std::vector<v1::NodeStatus>& nodes) {
  return !nodes.empty() && std::all_of(nodes.begin(), nodes.end(), IsCompleteNode);
}

std::string RenderStatus(const std::vector<v1::NodeStatus>& nodes, const StatusView& view) {
  if (nodes.empty()) {
    return "no node has reported: nothing is watched, or no agent has reached this collector yet\n";
  }
  Table table({{"NODE", false, 16},
               {"AGENT"},
               {"SINCE"},
               {"KERNEL KILLS", true},
               {"CAPTURED", true},
               {"EVENTS", true},
               {"DROPS", true},
               {"GAPS", true},
               {.name = "PRESSURE", .expendable = 1},
               {"LAST REPORT", true},
               {"COST"}});
  KillTotals totals;
  bool replayed = false;
  PressureTotals pressure;
  for (const v1::NodeStatus& node : nodes) {
    table.Add(Row(node, view.now_ns));
    AddTo(node, &totals);
    if (BalanceOf(node)) {
      pressure.Add(node.report());
    }
    replayed = replayed || node.report().replayed();
  }
  std::string out = table.Render({view.width, view.headers, view.paint});
  out += Reasons(nodes, view.paint);
  if (view.verbose) {
    out += Verbose(nodes, view.now_ns);
  }
  if (replayed) {
    out += view.paint(Style::kYellow,
                      "RECORDING: an agent here replays a recording, not this kernel") +
           "\n";
  }
  return out + pressure.Line() + TotalsLine(totals) + "\n";
}

}  // namespace oombox
