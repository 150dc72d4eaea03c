#include "agent/query/watch_cursor.h"

#include <utility>

#include "agent/query/page_token.h"
#include "agent/store/basic_view.h"

namespace oombox {

namespace {

constexpr char kWatchToken = 'w';
constexpr size_t kBatch = 32;
constexpr size_t kMaxUntold = 1024;

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

Status CheckKept(uint64_t after, uint64_t evicted) {
  if (after < evicted) {
    return MakeError(ErrorCode::kGone,
                     "events after this place were removed by the store's bounds before they were "
                     "told; list what is kept and watch again without a token");
  }
  return {};
}

}  // namespace

Result<WatchCursor> WatchCursor::Begin(EventStore& store, const v1::WatchEventsRequest& request) {
  OOMBOX_TRY(Filter filter, Filter::Parse(request.filter()));
  const auto view =
      request.view() == v1::EVENT_VIEW_FULL ? v1::EVENT_VIEW_FULL : v1::EVENT_VIEW_BASIC;
  OOMBOX_TRY(const SeqBounds bounds, store.Bounds());
  uint64_t after = bounds.last;
  if (!request.resume_token().empty()) {
    OOMBOX_TRY(after, SeqOf(request.resume_token(), store.epoch()));
    OOMBOX_RETURN_IF_ERROR(CheckKept(after, bounds.evicted));
  }
  return WatchCursor(store, std::move(filter), view, after);
}

Result<WatchCursor::Batch> WatchCursor::Next() {
  Batch batch;
  if (!std::exchange(begun_, true)) {
    batch.responses.emplace_back().set_resume_token(TokenFor(store_->epoch(), after_));
  }
  OOMBOX_TRY(std::vector<StoredEvent> events, store_->ReadAfter(after_, kBatch));
  batch.more = !events.empty();
  if (!events.empty() && events.front().seq > after_ + 1) {
    OOMBOX_TRY(const SeqBounds bounds, store_->Bounds());
    OOMBOX_RETURN_IF_ERROR(CheckKept(after_, bounds.evicted));
  }
  for (StoredEvent& stored : events) {
    after_ = stored.seq;
    ++untold_;
    if (!filter_.Matches(AttributesOf(stored.event))) {
      continue;
    }
    untold_ = 0;
    v1::WatchEventsResponse& response = batch.responses.emplace_back();
    *response.mutable_event() =
        view_ == v1::EVENT_VIEW_FULL ? std::move(stored.event) : BasicView(stored.event);
    response.set_resume_token(TokenFor(store_->epoch(), stored.seq));
  }
  if (untold_ >= kMaxUntold) {
    untold_ = 0;
    batch.responses.emplace_back().set_resume_token(TokenFor(store_->epoch(), after_));
  }
  return batch;
}

}  // namespace oombox
