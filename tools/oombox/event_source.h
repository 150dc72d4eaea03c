#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "oombox/v1/query.pb.h"

namespace oombox {

struct ListRequest {
  std::string filter;
  v1::EventView view = v1::EVENT_VIEW_BASIC;
  size_t limit = 1000;
  // When given, takes each event as it comes, so that the list need not fit into memory: it then
  // has no events. False ends it.
  std::function<bool(const v1::Event&)> each = {};
};

struct EventList {
  std::vector<v1::Event> events;                // newest first
  bool more = false;                            // the limit cut the list
  bool saved = false;                           // from a file: says nothing about now
  std::optional<v1::CoverageSummary> coverage;  // absent: the source does not tell
};

struct WatchRequest {
  std::string filter;
  std::string resume_token;
  v1::EventView view = v1::EVENT_VIEW_BASIC;
};

struct WatchSink {
  // The stream stands: what happens from now on is seen.
  std::function<void()> on_open;
  // False ends the watch.
  std::function<bool(const v1::WatchEventsResponse&)> on_response;
};

// Where events come from: a server, or a file of saved ones. Used from one thread. An error's
// message starts with what went wrong; further lines, if any, say what to try.
class EventSource {
 public:
  virtual ~EventSource() = default;

  // "the collector at 127.0.0.1:5137".
  virtual std::string Describe() const = 0;
  virtual Result<EventList> ListEvents(const ListRequest& request) = 0;
  // By id, unique prefix or "latest". kNotFound, kAmbiguous.
  virtual Result<v1::Event> GetEvent(std::string_view reference) = 0;
  virtual Result<v1::ExplainEventResponse> Explain(std::string_view reference) = 0;
  // One stream, until the sink or `stop` ends it (success), the source runs dry (success) or the
  // connection breaks (kUnavailable).
  virtual Status Watch(const WatchRequest& request, const WatchSink& sink,
                       std::stop_token stop) = 0;
  virtual Result<std::vector<v1::NodeStatus>> Nodes() = 0;
  virtual Result<v1::GetVersionResponse> Version() = 0;
};

}  // namespace oombox
