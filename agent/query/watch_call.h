#pragma once

#include <grpcpp/support/server_callback.h>

#include "agent/query/watch_hub.h"
#include "agent/store/event_store.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// One WatchEvents call: sends the initial metadata when it has found its place (from then on no
// event is missed), then one event at a time, as fast as the client takes them. Store and hub must
// outlive the server. The reactor owns itself.
grpc::ServerWriteReactor<v1::WatchEventsResponse>* StartWatchCall(
    EventStore& store, WatchHub& hub, grpc::CallbackServerContext* context,
    const v1::WatchEventsRequest& request);

}  // namespace oombox
