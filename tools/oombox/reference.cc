#include "tools/oombox/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "agent/common/text.h"
#include "tools/oombox/filter_builder.h"
#include "tools/oombox/owner_kind.h"
#include "tools/oombox/printable.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr size_t kShortest = 6;
constexpr size_t kMinPrefix = 4;
constexpr size_t kIdLength = 16;
constexpr size_t kMaxCandidates = 10;
constexpr size_t kMaxLookedAt = 200;
constexpr std::string_view kIdCharacters = "0123456789abcdefghjkmnpqrstvwxyz";

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const auto [end, unused] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<size_t>(end - a.begin());
}

// The kills that a reference with a '/' names, as filters: the first that has one counts. Empty
// when it is none.
std::vector<std::string> NameFilters(std::string_view reference) {
  const size_t slash = reference.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == reference.size() ||
      !IsPrintableUtf8(reference)) {
    return {};
  }
  const std::string_view first = reference.substr(0, slash);
  const std::string_view rest = reference.substr(slash + 1);
  const auto equals = [](const char* field, const std::string& value) {
    return fmt::format("{} = {}", field, QuoteFilterValue(value));
  };
  const std::string of_oom = "kind = oom AND ";
  const std::string in_namespace = of_oom + equals("namespace", std::string(first)) + " AND ";
  std::vector<std::string> filters;
  if (rest.find('/') != std::string_view::npos) {
    if (IsOwnerKind(rest.substr(0, rest.find('/')))) {
      filters.push_back(in_namespace + equals("owner", FullOwner(rest)));
    }
    return filters;
  }
  if (IsOwnerKind(first)) {  // a namespace may be called "jobs", too
    filters.push_back(of_oom + equals("owner", FullOwner(reference)));
  }
  filters.push_back(in_namespace + equals("pod", std::string(rest)));
  return filters;
}

// The owners of one name in several namespaces are not the same: `first` is of one of them.
Status CheckOneNamespace(const std::string& reference, const std::string& filter,
                         const v1::Event& first, EventSource* source) {
  const std::string& one = first.oom().container().namespace_name();
  ListRequest others;
  others.filter = fmt::format("{} AND namespace != {}", filter, QuoteFilterValue(one));
  others.limit = kMaxLookedAt;
  OOMBOX_TRY(const auto list, source->ListEvents(others));
  std::set<std::string> namespaces;
  for (const v1::Event& event : list.events) {
    namespaces.insert(event.oom().container().namespace_name());
  }
  if (namespaces.empty()) {
    return {};
  }
  namespaces.insert(one);
  std::string message = Printable(reference) + " is in several namespaces; say which:";
  size_t told = 0;
  for (const std::string& name : namespaces) {
    if (++told > kMaxCandidates) {
      message += "\n  ...";
      break;
    }
    message += fmt::format("\n  {}/{}", Printable(name), Printable(reference));
  }
  return MakeError(ErrorCode::kNotFound, "{}", message);
}

}  // namespace

Status CheckReference(std::string_view reference) {
  if (reference == "latest" || !NameFilters(reference).empty()) {
    return {};
  }
  if (reference.find_first_not_of(kIdCharacters) != std::string_view::npos ||
      reference.size() < kMinPrefix || reference.size() > kIdLength) {
    return MakeError(
        ErrorCode::kInvalid,
        "\"{}\" names no event: a reference is \"latest\", {} to {} characters of an id, "
        "NAMESPACE/POD or deployment/NAME\n"
        "try: oombox list   (the ID column)",
        Printable(reference), kMinPrefix, kIdLength);
  }
  return {};
}

Result<std::string> ResolveReference(const std::string& reference, EventSource* source) {
  const std::vector<std::string> filters = NameFilters(reference);
  if (filters.empty()) {
    return reference;
  }
  for (const std::string& filter : filters) {
    ListRequest request;
    request.filter = filter;
    request.limit = 1;
    OOMBOX_TRY(const auto list, source->ListEvents(request));
    if (!list.events.empty()) {
      if (filter.find("namespace = ") == std::string::npos) {
        OOMBOX_RETURN_IF_ERROR(CheckOneNamespace(reference, filter, list.events.front(), source));
      }
      return list.events.front().event_id();
    }
  }
  return MakeError(ErrorCode::kNotFound,
                   "no OOM kill of {} is recorded by {}\n"
                   "try: oombox list   (the names as they are recorded)",
                   Printable(reference), source->Describe());
}

std::vector<std::string> ShortIds(const std::vector<const v1::Event*>& events) {
  std::vector<std::string_view> sorted;
  sorted.reserve(events.size());
  for (const v1::Event* event : events) {
    sorted.push_back(event->event_id());
  }
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  size_t length = kShortest;
  for (size_t i = 1; i < sorted.size(); ++i) {
    length = std::max(length, CommonPrefix(sorted[i - 1], sorted[i]) + 1);
  }
  std::vector<std::string> ids;
  ids.reserve(events.size());
  for (const v1::Event* event : events) {
    ids.push_back(event->event_id().substr(0, length));
  }
  return ids;
}

std::string ShortId(const v1::Event& event) { return event.event_id().substr(0, kShortest); }

Error ExplainReferenceError(Error error, std::string_view reference, EventSource* source,
                            int64_t now_ns) {
  if (error.code == ErrorCode::kNotFound) {
    error.message = reference == "latest"
                        ? fmt::format("no OOM kill is recorded by {}", source->Describe())
                        : fmt::format("no event \"{}\" in {}", reference, source->Describe());
    error.message += "\ntry: oombox list   (what is there)";
    return error;
  }
  if (error.code != ErrorCode::kAmbiguous) {
    return error;
  }
  error.message = fmt::format("\"{}\" names several events; give more of the id:", reference);
  ListRequest request;
  request.filter = fmt::format("id = {}", QuoteFilterValue(std::string(reference) + "*"));
  request.limit = kMaxCandidates;
  const auto list = source->ListEvents(request);
  if (!list.has_value()) {
    return error;
  }
  for (const v1::Event& event : list->events) {
    error.message += fmt::format("\n  {}  {} ago  {}", event.event_id(),
                                 FormatAge(now_ns - ToNs(event.event_time())), EventSubject(event));
  }
  if (list->more) {
    error.message += "\n  and more";
  }
  return error;
}

}  // namespace oombox
