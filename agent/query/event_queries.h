#pragma once

#include "agent/common/result.h"
#include "agent/query/node_directory.h"
#include "agent/store/event_store.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// The answers to questions about events, without gRPC: requests in, responses out. They read the
// disk. Thread-safe; store and directory must outlive it.
class EventQueries {
 public:
  EventQueries(EventStore& store, NodeDirectory& nodes) : store_(store), nodes_(nodes) {}

  Result<v1::ListEventsResponse> List(const v1::ListEventsRequest& request);
  Result<v1::GetEventResponse> Get(const v1::GetEventRequest& request);
  Result<v1::AnnotateEventResponse> Annotate(const v1::AnnotateEventRequest& request);
  Result<v1::ExplainEventResponse> Explain(const v1::ExplainEventRequest& request);

 private:
  EventStore& store_;
  NodeDirectory& nodes_;
};

}  // namespace oombox
