#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "oombox/v1/query.pb.h"

namespace oombox {

// The identity kernel = captured + dropped + counted twice + gap + unsettled, of one node or summed
// over several.
struct KillBalance {
  std::optional<uint64_t> kernel;  // absent: the node could not read the kernel's count
  uint64_t captured = 0;           // and not lost again
  uint64_t dropped = 0;
  uint64_t double_counted = 0;
  uint64_t events = 0;
  // What the agent believes lost, captured or not: unseen, undecodable, in a damaged file. An agent
  // that does not tell (before 0.2) has what is left over. Absent without the kernel's count.
  std::optional<uint64_t> gap;
  // Left over: kills on their way to being explained, until the agent's second look; negative when
  // more was captured than the kernel counted.
  int64_t unsettled = 0;
};

// Nothing when the node's numbers are too old to be told.
std::optional<KillBalance> BalanceOf(const v1::NodeStatus& node);

struct KillTotals {
  size_t nodes = 0;  // known to the server
  size_t complete = 0;
  size_t counted = 0;  // nodes the sums are made of
  size_t silent = 0;   // no usable numbers at all
  size_t kernel_unknown = 0;
  KillBalance sum;  // over the counted
};
void AddTo(const v1::NodeStatus& node, KillTotals* totals);

// "2000 nodes: 1998 complete · kernel 412 = 411 events + 0 drops + 1 gap", more terms where they
// are not zero, and on a second line which nodes the sum leaves out.
std::string TotalsLine(const KillTotals& totals);

}  // namespace oombox
