#pragma once

#include "agent/query/event_queries.h"
#include "agent/query/watch_hub.h"
#include "agent/query/work_queue.h"
#include "oombox/v1/query.grpc.pb.h"

namespace oombox {

// oombox.v1.EventService: hands each call to the queue or the hub. All three must outlive the
// server.
class EventService final : public v1::EventService::CallbackService {
 public:
  EventService(EventQueries& queries, EventStore& store, WorkQueue& queue, WatchHub& hub)
      : queries_(queries), store_(store), queue_(queue), hub_(hub) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerUnaryReactor* GetEvent(grpc::CallbackServerContext* context,
                                     const v1::GetEventRequest* request,
                                     v1::GetEventResponse* response) override;
  grpc::ServerUnaryReactor* AnnotateEvent(grpc::CallbackServerContext* context,
                                          const v1::AnnotateEventRequest* request,
                                          v1::AnnotateEventResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext* context, const v1::WatchEventsRequest* request) override;

 private:
  EventQueries& queries_;
  EventStore& store_;
  WorkQueue& queue_;
  WatchHub& hub_;
};

}  // namespace oombox
