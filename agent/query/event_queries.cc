#include "agent/query/event_queries.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "agent/diagnose/diagnose.h"
#include "agent/query/coverage_summary.h"
#include "agent/query/page_token.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

constexpr char kListToken = 'l';
constexpr int kDefaultPage = 100;
constexpr int kMaxPage = 1000;
// A response stays below 4 MiB: this much of events leaves room for their framing and the coverage.
constexpr size_t kMaxPageBytes = 3u << 20;

uint64_t ArgumentsHash(const v1::ListEventsRequest& request, v1::EventView view) {
  return HashArguments(fmt::format("{}\n{}", static_cast<int>(view), request.filter()));
}

Result<size_t> PageSize(int32_t wanted) {
  if (wanted < 0) {
    return MakeError(ErrorCode::kInvalid, "page_size is negative");
  }
  return static_cast<size_t>(std::min(wanted == 0 ? kDefaultPage : wanted, kMaxPage));
}

Status Resume(const std::string& token, uint64_t hash, ListQuery* query) {
  if (token.empty()) {
    return {};
  }
  OOMBOX_TRY(const PageToken page, DecodePageToken(token, kListToken, hash));
  std::string_view position = page.position;
  OOMBOX_TRY(const uint64_t time_ns, TakeNumber(&position));
  OOMBOX_TRY(query->before_seq, TakeNumber(&position));
  query->before_time_ns = static_cast<int64_t>(time_ns);
  return {};
}

std::string TokenAfter(const StoredEvent& last, uint64_t hash) {
  PageToken token{.kind = kListToken, .arguments_hash = hash};
  AppendNumber(static_cast<uint64_t>(AttributesOf(last.event).time_ns), &token.position);
  AppendNumber(last.seq, &token.position);
  return EncodePageToken(token);
}

}  // namespace

Result<v1::ListEventsResponse> EventQueries::List(const v1::ListEventsRequest& request) {
  ListQuery query;
  OOMBOX_TRY(query.filter, Filter::Parse(request.filter()));
  OOMBOX_TRY(const size_t page_size, PageSize(request.page_size()));
  const bool full = request.view() == v1::EVENT_VIEW_FULL;
  query.view = full ? v1::EVENT_VIEW_FULL : v1::EVENT_VIEW_BASIC;
  query.limit = page_size + 1;  // one more tells whether there is another page
  query.max_bytes = kMaxPageBytes;
  const uint64_t hash = ArgumentsHash(request, query.view);
  OOMBOX_RETURN_IF_ERROR(Resume(request.page_token(), hash, &query));

  v1::ListEventsResponse response;
  // Before the events: what is committed while the page is read is not vouched for.
  OOMBOX_TRY(*response.mutable_coverage(), nodes_.Summary());
  OOMBOX_TRY(std::vector<StoredEvent> events, store_.List(query));
  OOMBOX_TRY(const SeqBounds bounds, store_.Bounds());  // after: what went meanwhile is told
  NoteRemoved(TimeUtil::NanosecondsToTimestamp(bounds.evicted_time_ns),
              response.mutable_coverage());
  size_t bytes = 0;
  for (size_t i = 0; i < std::min(page_size, events.size()); ++i) {
    bytes += events[i].event.ByteSizeLong();
    *response.add_events() = std::move(events[i].event);
  }
  // A page that may have been cut by its bytes is followed by another, which may be empty.
  const bool cut_by_bytes = bytes + 2 * kMaxEventBytes > kMaxPageBytes;
  if (!events.empty() && (events.size() > page_size || cut_by_bytes)) {
    const size_t last = std::min(page_size, events.size()) - 1;
    events[last].event = response.events(static_cast<int>(last));
    response.set_next_page_token(TokenAfter(events[last], hash));
  }
  return response;
}

Result<v1::GetEventResponse> EventQueries::Get(const v1::GetEventRequest& request) {
  OOMBOX_TRY(StoredEvent stored, store_.Get(request.reference()));
  v1::GetEventResponse response;
  *response.mutable_event() = std::move(stored.event);
  return response;
}

Result<v1::AnnotateEventResponse> EventQueries::Annotate(const v1::AnnotateEventRequest& request) {
  const std::vector<std::pair<std::string, std::string>> set(request.annotations().begin(),
                                                             request.annotations().end());
  OOMBOX_TRY(StoredEvent stored, store_.Annotate(request.reference(), set));
  v1::AnnotateEventResponse response;
  *response.mutable_event() = std::move(stored.event);
  return response;
}

Result<v1::ExplainEventResponse> EventQueries::Explain(const v1::ExplainEventRequest& request) {
  OOMBOX_TRY(StoredEvent stored, store_.Get(request.reference()));
  WorkloadHistory history;
  if (const EventAttributes attributes = AttributesOf(stored.event); !attributes.workload.empty()) {
    OOMBOX_TRY(const EventStore::WorkloadHistory kept, store_.History(attributes));
    history.kills = kept.kills;
    history.first_time_ns = kept.first_time_ns;
  }
  v1::ExplainEventResponse response;
  *response.mutable_diagnosis() = Diagnose(stored.event, history);
  *response.mutable_event() = std::move(stored.event);
  return response;
}

}  // namespace oombox
