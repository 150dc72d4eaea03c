#pragma once

#include <string>
#include <vector>

#include "oombox/v1/node.pb.h"
#include "tools/oombox/render/table.h"

namespace oombox {

// What `oombox status` says of the watch over memory. A node whose agent tells of none has "-".

// "2 critical, 1 warning", "ok".
TableCell PressureCell(const v1::NodeReport& report);

// What the watch does not see or keep, a sentence each.
std::vector<std::string> MissingOfWatch(const v1::NodeReport& report);

// "pressure: 112 of 240 memory cgroups watched, 110 curves kept, ..."; empty without a watch.
std::string WatchLineOf(const v1::NodeReport& report);

struct PressureTotals {
  uint64_t critical = 0;
  uint64_t warning = 0;
  size_t nodes = 0;  // with any of these

  void Add(const v1::NodeReport& report);
  // "memory pressure now: 2 critical, 1 warning on 1 node (oombox top)", with newline; empty when
  // there is none.
  std::string Line() const;
};

}  // namespace oombox
