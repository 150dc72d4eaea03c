#include "tools/oombox/render/status_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/render/accounting.h"
#include "tools/oombox/render/coverage.h"
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
          {node.has_last_report_age() ? FormatAge(node.last_report_age().seconds() * kNsPerSecond)
                                      : "never"},
          {balance ? CostText(report) : "-"}};
}

std::string Reasons(const std::vector<v1::NodeStatus>& nodes, const Paint& paint) {
  std::string out;
  size_t shown = 0;
  size_t hidden = 0;
  for (const v1::NodeStatus& node : nodes) {
    if (IsCompleteNode(node)) {
      continue;
    }
    if (shown++ >= kMaxReasons) {
      ++hidden;
      continue;
    }
    const auto* age = node.has_last_report_age() ? &node.last_report_age() : nullptr;
    out += paint(Style::kRed,
                 fmt::format("! {}  {}", NodeName(node), CoverageReason(node.coverage(), age))) +
           "\n";
  }
  if (hidden > 0) {
    out += fmt::format("! and {} more\n", hidden);
  }
  return out;
}

std::string Unavailable(const std::vector<v1::NodeStatus>& nodes) {
  std::string out;
  for (const v1::NodeStatus& node : nodes) {
    for (const v1::MissingField& missing : node.coverage().unavailable()) {
      out +=
          fmt::format("  {}  without {}: {}\n", NodeName(node), missing.field(), missing.reason());
    }
    if (BalanceOf(node) && !node.report().accounting().has_dropped_recursion()) {
      out += fmt::format(
          "  {}  without drops by recursion: its kernel does not count them; they would "
          "be gaps\n",
          NodeName(node));
    }
  }
  return out.empty() ? "  every feature is available on every node\n" : out;
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
               {"LAST REPORT", true},
               {"COST"}});
  KillTotals totals;
  bool replayed = false;
  for (const v1::NodeStatus& node : nodes) {
    table.Add(Row(node, view.now_ns));
    AddTo(node, &totals);
    replayed = replayed || node.report().replayed();
  }
  std::string out = table.Render({view.width, view.headers, view.paint});
  out += Reasons(nodes, view.paint);
  if (view.verbose) {
    out += Unavailable(nodes);
  }
  if (replayed) {
    out += view.paint(Style::kYellow,
                      "RECORDING: an agent here replays a recording, not this kernel") +
           "\n";
  }
  return out + TotalsLine(totals) + "\n";
}

}  // namespace oombox
