#include "tools/oombox/render/accounting.h"

#include <fmt/format.h>

namespace oombox {

std::optional<KillBalance> BalanceOf(const v1::NodeStatus& node) {
  const bool told = node.report().has_accounting() &&
                    node.coverage().state() != v1::Coverage::STATE_UNKNOWN &&
                    node.coverage().state() != v1::Coverage::STATE_UNSPECIFIED;
  if (!told) {
    return std::nullopt;
  }
  const v1::KillAccounting& accounting = node.report().accounting();
  KillBalance balance;
  balance.captured = accounting.captured();
  balance.dropped = accounting.dropped_ring_full() + accounting.dropped_recursion();
  balance.double_counted = accounting.double_counted();
  balance.events = accounting.events();
  if (accounting.has_kernel_kills()) {
    balance.kernel = accounting.kernel_kills();
    balance.gap = static_cast<int64_t>(*balance.kernel - balance.captured - balance.dropped -
                                       balance.double_counted);
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
  sum.captured += balance->captured;
  sum.dropped += balance->dropped;
  sum.double_counted += balance->double_counted;
  sum.events += balance->events;
}

std::string TotalsLine(const KillTotals& totals) {
  std::string line = fmt::format("{} {}: {} complete", totals.nodes,
                                 totals.nodes == 1 ? "node" : "nodes", totals.complete);
  const KillBalance& sum = totals.sum;
  if (totals.counted == 0) {
    line += " · kills: no node's count is known";
  } else {
    line += fmt::format(" · kernel {} {} = {} captured + {} dropped", *sum.kernel,
                        *sum.kernel == 1 ? "kill" : "kills", sum.captured, sum.dropped);
    if (sum.double_counted > 0) {
      line += fmt::format(" + {} counted twice", sum.double_counted);
    }
    line += *sum.gap < 0 ? fmt::format(" - {} more captured than counted", -*sum.gap)
                         : fmt::format(" + {} {}", *sum.gap, *sum.gap == 1 ? "gap" : "gaps");
    line += fmt::format(" · {} {}", sum.events, sum.events == 1 ? "event" : "events");
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
