#pragma once

#include <chrono>
#include <string>

#include "agent/common/result.h"
#include "agent/query/node_directory.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// The answers to questions about nodes, without gRPC. Thread-safe; the directory must outlive it.
class NodeQueries {
 public:
  explicit NodeQueries(NodeDirectory& nodes) : nodes_(nodes) {}

  Result<v1::ListNodesResponse> List(const v1::ListNodesRequest& request);
  Result<v1::GetNodeReportResponse> Report(const v1::GetNodeReportRequest& request,
                                           std::chrono::milliseconds timeout);

 private:
  NodeDirectory& nodes_;
};

}  // namespace oombox
