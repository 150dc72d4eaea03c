#pragma once

#include <cstdint>
#include <string>

#include "agent/query/node_queries.h"
#include "agent/query/work_queue.h"
#include "oombox/v1/query.grpc.pb.h"

namespace oombox {

// Who answers GetVersion.
struct ServerIdentity {
  std::string component = {};  // "oombox-agent"
  std::string version = {};
  int64_t start_wall_ns = 0;
};

// oombox.v1.NodeService. Questions to a node wait for its answer: they have a queue of their own,
// so that a slow node does not hold up the store's. All must outlive the server.
class NodeService final : public v1::NodeService::CallbackService {
 public:
  NodeService(NodeQueries& queries, WorkQueue& store_queue, WorkQueue& live_queue,
              ServerIdentity identity)
      : queries_(queries),
        store_queue_(store_queue),
        live_queue_(live_queue),
        identity_(std::move(identity)) {}

  grpc::ServerUnaryReactor* ListNodes(grpc::CallbackServerContext* context,
                                      const v1::ListNodesRequest* request,
                                      v1::ListNodesResponse* response) override;
  grpc::ServerUnaryReactor* GetNodeReport(grpc::CallbackServerContext* context,
                                          const v1::GetNodeReportRequest* request,
                                          v1::GetNodeReportResponse* response) override;
  grpc::ServerUnaryReactor* GetVersion(grpc::CallbackServerContext* context,
                                       const v1::GetVersionRequest* request,
                                       v1::GetVersionResponse* response) override;

 private:
  NodeQueries& queries_;
  WorkQueue& store_queue_;
  WorkQueue& live_queue_;
  const ServerIdentity identity_;
};

}  // namespace oombox
