#include "tools/oombox/event_reader.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <map>

#include "tools/oombox/json_splitter.h"
#include "tools/oombox/printable.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr size_t kMaxEvents = 100'000;
constexpr size_t kMaxIdLength = 64;

template <typename Message>
Status Parse(const JsonValue& value, Message* message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(
      {value.text.data(), value.text.size()}, message, options);
  if (!status.ok()) {
    std::string reason(status.message().data(), status.message().size());
    reason.resize(std::min(reason.find('\n'), reason.size()));
    return MakeError(ErrorCode::kCorrupt, "line {}: no saved event: {}", value.line,
                     Printable(reason));
  }
  return {};
}

class Collector {
 public:
  Status Add(const JsonValue& value) {
    v1::Event event;
    OOMBOX_RETURN_IF_ERROR(Parse(value, &event));
    if (!event.event_id().empty()) {
      return Keep(value, std::move(event));
    }
    v1::ListEventsResponse list;
    OOMBOX_RETURN_IF_ERROR(Parse(value, &list));
    if (list.has_coverage() || !list.events().empty()) {
      saved_coverage_ = list.has_coverage() ? std::optional(list.coverage()) : saved_coverage_;
      for (v1::Event& one : *list.mutable_events()) {
        OOMBOX_RETURN_IF_ERROR(Keep(value, std::move(one)));
      }
      return {};
    }
    // What `explain -o json` prints, and a message of WatchEvents.
    v1::ExplainEventResponse holder;
    OOMBOX_RETURN_IF_ERROR(Parse(value, &holder));
    if (!holder.has_event()) {
      return MakeError(ErrorCode::kCorrupt, "line {}: JSON, but no event: it has no event_id",
                       value.line);
    }
    return Keep(value, std::move(*holder.mutable_event()));
  }

  SavedEvents Finish() {
    SavedEvents saved;
    saved.coverage = std::move(saved_coverage_);
    for (auto& [id, event] : events_) {
      saved.events.push_back(std::move(event));
    }
    std::sort(saved.events.begin(), saved.events.end(), [](const v1::Event& a, const v1::Event& b) {
      const int64_t a_ns = ToNs(a.event_time());
      const int64_t b_ns = ToNs(b.event_time());
      return a_ns != b_ns ? a_ns > b_ns : a.event_id() > b.event_id();
    });
    return saved;
  }

 private:
  Status Keep(const JsonValue& value, v1::Event event) {
    if (event.event_id().empty() || event.event_id().size() > kMaxIdLength) {
      return MakeError(ErrorCode::kCorrupt, "line {}: an event whose event_id is {}", value.line,
                       event.event_id().empty() ? "missing" : "too long");
    }
    const auto [found, is_new] = events_.try_emplace(event.event_id());
    if (is_new && events_.size() > kMaxEvents) {
      return MakeError(ErrorCode::kExhausted, "line {}: more than {} events", value.line,
                       kMaxEvents);
    }
    if (is_new || event.revision() > found->second.revision()) {
      found->second = std::move(event);
    }
    return {};
  }

  std::map<std::string, v1::Event> events_;
  std::optional<v1::CoverageSummary> saved_coverage_;
};

}  // namespace

Result<SavedEvents> ReadSavedEvents(std::string_view text) {
  Collector collector;
  JsonSplitter splitter(text);
  while (true) {
    OOMBOX_TRY(const std::optional<JsonValue> value, splitter.Next());
    if (!value) {
      return collector.Finish();
    }
    OOMBOX_RETURN_IF_ERROR(collector.Add(*value));
  }
}

}  // namespace oombox
