#include "agent/query/watch_cursor.h"

#include "agent/query/page_token.h"
#include "agent/store/basic_view.h"

namespace oombox {

namespace {

constexpr char kWatchToken = 'w';
constexpr size_t kBatch = 32;

std::string TokenFor(const std::string& epoch, uint64_t seq) {
  PageToken token{.kind = kWatchToken};
  AppendNumber(seq, &token.position);
  token.position += epoch;
  return EncodePageToken(token);
}

Result<uint64_t> SeqOf(const std::string& text, const std::string& epoch) {
  OOMBOX_TRY(const PageToken token, DecodePageToken(text, kWatchToken, 0));
  std::string_view position = token.position;
  OOMBOX_TRY(const uint64_t seq, TakeNumber(&position));
  if (position != epoch) {
    return MakeError(
        ErrorCode::kGone,
        "the store this resume token belongs to was replaced; list what was missed and "
        "watch again without a token");
  }
  return seq;
}

}  // namespace

Result<WatchCursor> WatchCursor::Begin(EventStore& store, const v1::WatchEventsRequest& request) {
  OOMBOX_TRY(Filter filter, Filter::Parse(request.filter()));
  const auto view =
      request.view() == v1::EVENT_VIEW_FULL ? v1::EVENT_VIEW_FULL : v1::EVENT_VIEW_BASIC;
  uint64_t after = 0;
  if (request.resume_token().empty()) {
    OOMBOX_TRY(const StoreStats stats, store.Stats());
    after = stats.last_seq;
  } else {
    OOMBOX_TRY(after, SeqOf(request.resume_token(), store.epoch()));
  }
  return WatchCursor(store, std::move(filter), view, after);
}

Result<WatchCursor::Batch> WatchCursor::Next() {
  OOMBOX_TRY(std::vector<StoredEvent> events, store_->ReadAfter(after_, kBatch));
  Batch batch;
  batch.more = !events.empty();
  for (StoredEvent& stored : events) {
    after_ = stored.seq;
    if (!filter_.Matches(AttributesOf(stored.event))) {
      continue;
    }
    v1::WatchEventsResponse& response = batch.responses.emplace_back();
    *response.mutable_event() =
        view_ == v1::EVENT_VIEW_FULL ? std::move(stored.event) : BasicView(stored.event);
    response.set_resume_token(TokenFor(store_->epoch(), stored.seq));
  }
  return batch;
}

}  // namespace oombox
