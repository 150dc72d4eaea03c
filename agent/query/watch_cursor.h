#pragma once

#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/store/event_store.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

// Where a watcher stands in the store, without gRPC. The first batch begins with a response that
// has only a resume token, so that whoever has seen no event yet can go on, too; so does one after
// a long stretch without a match. Not thread-safe; the store must outlive it.
class WatchCursor {
 public:
  struct Batch {
    std::vector<v1::WatchEventsResponse> responses;  // what the filter selected
    bool more = false;                               // ask again at once
  };

  // kInvalid: the filter or the token makes no sense. kGone: the token belongs to a store that was
  // replaced since, or events after it were removed by the store's bounds.
  static Result<WatchCursor> Begin(EventStore& store, const v1::WatchEventsRequest& request);

  // kGone: the store removed events before this watcher had seen them.
  Result<Batch> Next();

 private:
  WatchCursor(EventStore& store, Filter filter, v1::EventView view, uint64_t after)
      : store_(&store), filter_(std::move(filter)), view_(view), after_(after) {}

  EventStore* store_;
  Filter filter_;
  v1::EventView view_;
  uint64_t after_;
  size_t untold_ = 0;   // events passed since the client was given a token
  bool begun_ = false;  // the first token is given
};

}  // namespace oombox
