#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/node.pb.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// What the query services need to know of nodes, and what differs between an agent (its own report)
// and a collector (stored reports, connected agents). Called from worker threads, several at a
// time.
class NodeDirectory {
 public:
  virtual ~NodeDirectory() = default;

  // Every node that was ever heard of; a silent one has coverage UNKNOWN.
  virtual Result<std::vector<v1::NodeStatus>> Nodes() = 0;

  // The coverage of all of them, for the end of every list. A directory of many nodes has a cheaper
  // way than to look at every report.
  virtual Result<v1::CoverageSummary> Summary();

  // A report made now. An empty name means the only node; kInvalid when there are several.
  // kNotFound: never heard of it. kUnavailable: it is not connected or did not answer in time.
  virtual Result<v1::NodeReport> FreshReport(const std::string& node_name,
                                             std::chrono::milliseconds timeout) = 0;
};

}  // namespace oombox
