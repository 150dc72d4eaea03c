#include "agent/query/event_service.h"

#include "agent/query/unary_call.h"
#include "agent/query/watch_call.h"

namespace oombox {

grpc::ServerUnaryReactor* EventService::ListEvents(grpc::CallbackServerContext* context,
                                                   const v1::ListEventsRequest* request,
                                                   v1::ListEventsResponse* response) {
  return AnswerOn(queue_, context, request, response,
                  [this](const v1::ListEventsRequest& r) { return queries_.List(r); });
}

grpc::ServerUnaryReactor* EventService::GetEvent(grpc::CallbackServerContext* context,
                                                 const v1::GetEventRequest* request,
                                                 v1::GetEventResponse* response) {
  return AnswerOn(queue_, context, request, response,
                  [this](const v1::GetEventRequest& r) { return queries_.Get(r); });
}

grpc::ServerUnaryReactor* EventService::AnnotateEvent(grpc::CallbackServerContext* context,
                                                      const v1::AnnotateEventRequest* request,
                                                      v1::AnnotateEventResponse* response) {
  return AnswerOn(queue_, context, request, response,
                  [this](const v1::AnnotateEventRequest& r) { return queries_.Annotate(r); });
}

grpc::ServerWriteReactor<v1::WatchEventsResponse>* EventService::WatchEvents(
    grpc::CallbackServerContext* context, const v1::WatchEventsRequest* request) {
  return StartWatchCall(store_, hub_, context, *request);
}

}  // namespace oombox
