#pragma once

#include "agent/query/event_queries.h"
#include "agent/query/work_queue.h"
#include "oombox/v1/query.grpc.pb.h"

namespace oombox {

// oombox.v1.DiagnosisService. Queries and queue must outlive the server.
class DiagnosisService final : public v1::DiagnosisService::CallbackService {
 public:
  DiagnosisService(EventQueries& queries, WorkQueue& queue) : queries_(queries), queue_(queue) {}

  grpc::ServerUnaryReactor* ExplainEvent(grpc::CallbackServerContext* context,
                                         const v1::ExplainEventRequest* request,
                                         v1::ExplainEventResponse* response) override;

 private:
  EventQueries& queries_;
  WorkQueue& queue_;
};

}  // namespace oombox
