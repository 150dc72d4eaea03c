#include "tools/oombox/render/accounting.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

// Agents have told the gap since they tell of their attachment.
bool TellsGap(const v1::NodeReport& report) { return report.has_attachment(); }

// An event is an episode: one kill as a rule, more when a group was killed. The sum is of kills.
std::string CapturedTerm(const KillBalance& sum) {
  return sum.captured == sum.events ? FormatCount(sum.events, "event")
                                    : fmt::format("{} in {}", FormatCount(sum.captured, "kill"),
                                                  FormatCount(sum.events, "event"));
}

std::string Identity(const KillBalance& sum) {
  std::string line = fmt::format("kernel {} = {} + {} + {}", *sum.kernel, CapturedTerm(sum),
                                 FormatCount(sum.dropped, "drop"), FormatCount(*sum.gap, "gap"));
  if (sum.double_counted > 0) {
    line += fmt::format(" + {} counted twice", sum.double_counted);
  }
  if (sum.unsettled > 0) {
    line += fmt::format(" + {} being looked into", sum.unsettled);
  } else if (sum.unsettled < 0) {
    line += fmt::format(" - {} more captured than counted", -sum.unsettled);
  }
  return line;
}

}  // namespace

std::optional<KillBalance> BalanceOf(const v1::NodeStatus& node) {
  const bool told = node.report().has_accounting() &&
                    node.coverage().state() != v1::Coverage::STATE_UNKNOWN &&
                    node.coverage().state() != v1::Coverage::STATE_UNSPECIFIED;
  if (!told) {
    return std::nullopt;
  }
  const v1::KillAccounting& accounting = node.report().accounting();
  KillBalance balance;
  const uint64_t lost = accounting.undecodable() + accounting.lost_damaged();
  balance.captured = accounting.captured() - std::min(lost, accounting.captured());
  balance.dropped = accounting.dropped_ring_full() + accounting.dropped_recursion();
  balance.double_counted = accounting.double_counted();
  balance.events = accounting.events();
  if (accounting.has_kernel_kills()) {
    balance.kernel = accounting.kernel_kills();
    const auto left = static_cast<int64_t>(*balance.kernel - balance.captured - balance.dropped -
                                           balance.double_counted);
    const uint64_t captured_and_lost = accounting.captured() - balance.captured;
    const uint64_t gap = TellsGap(node.report())
                             ? accounting.gap()
                             : static_cast<uint64_t>(std::max<int64_t>(
                                   left - static_cast<int64_t>(captured_and_lost), 0));
    balance.gap = gap + captured_and_lost;
    balance.unsettled = left - static_cast<int64_t>(*balance.gap);
  }
  return balance;
}

void AddTo(const v1::NodeStatus& node, KillTotals* totals) {
  ++totals->nodes;
  totals->complete += node.coverage().state() == v1::Coverage::STATE_COMPLETE ? 1 : 0;
  const std::optional<KillBalance> balance = BalanceOf(node);
  if (!balance) {
    ++totals->silent;
    return;
  }
  if (!balance->kernel) {
    ++totals->kernel_unknown;
    return;
  }
  ++totals->counted;
  KillBalance& sum = totals->sum;
  sum.kernel = sum.kernel.value_or(0) + *balance->kernel;
  sum.gap = sum.gap.value_or(0) + *balance->gap;
  sum.unsettled += balance->unsettled;
  sum.captured += balance->captured;
  sum.dropped += balance->dropped;
  sum.double_counted += balance->double_counted;
  sum.events += balance->events;
}

std::string TotalsLine(const KillTotals& totals) {
  std::string line = fmt::format("{} {}: {} complete", totals.nodes,
                                 totals.nodes == 1 ? "node" : "nodes", totals.complete);
  if (totals.counted == 0) {
    line += " · kills: no node's count is known";
  } else {
    line += " · " + Identity(totals.sum);
  }
  if (totals.silent > 0) {
    line += fmt::format("\nnot in the sum: {} silent", totals.silent);
  }
  if (totals.kernel_unknown > 0) {
    line += fmt::format("{} {} whose kernel's count is unreadable",
                        totals.silent > 0 ? "," : "\nnot in the sum:", totals.kernel_unknown);
  }
  return line;
}

}  // namespace oombox
