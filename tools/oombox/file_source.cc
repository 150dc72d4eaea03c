#include "tools/oombox/file_source.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "agent/store/filter.h"
#include "tools/oombox/explain_saved.h"
#include "tools/oombox/printable.h"

namespace oombox {

namespace {

constexpr size_t kMaxFileBytes = 64ull << 20;

struct Close {
  void operator()(std::FILE* file) const {
    if (file != stdin) {
      std::fclose(file);
    }
  }
};

Result<std::string> ReadAll(const std::string& path) {
  const std::unique_ptr<std::FILE, Close> file(path == "-" ? stdin
                                                           : std::fopen(path.c_str(), "re"));
  if (!file) {
    return MakeSystemError(ErrorCode::kInternal, errno, fmt::format("cannot open {}", path));
  }
  std::string text;
  std::string chunk(1 << 16, '\0');
  while (true) {
    const size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get());
    text.append(chunk, 0, got);
    if (text.size() > kMaxFileBytes) {
      return MakeError(ErrorCode::kExhausted, "{} is larger than {} MiB\ntry: a part of it",
                       path == "-" ? "stdin" : path, kMaxFileBytes >> 20);
    }
    if (got < chunk.size()) {
      break;
    }
  }
  if (std::ferror(file.get()) != 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, fmt::format("cannot read {}", path));
  }
  return text;
}

tl::unexpected<Error> NeedsServer(std::string_view what, std::string_view name) {
  return MakeError(ErrorCode::kInvalid, "{} says nothing about {}\ntry: without -f", name, what);
}

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path) {
  const std::string name = path == "-" ? "stdin" : path;
  OOMBOX_TRY(const std::string text, ReadAll(path));
  auto saved = ReadSavedEvents(text);
  if (!saved.has_value()) {
    return Annotate(std::move(saved).error(), name);
  }
  return std::make_unique<FileSource>(name, std::move(*saved));
}

Result<EventList> FileSource::ListEvents(const ListRequest& request) {
  OOMBOX_TRY(const Filter filter, Filter::Parse(request.filter));
  EventList list;
  list.saved = true;
  list.coverage = saved_.coverage;
  size_t taken = 0;
  for (const v1::Event& event : saved_.events) {
    if (!filter.Matches(AttributesOf(event))) {
      continue;
    }
    if (taken++ == request.limit) {
      list.more = true;
      break;
    }
    if (!request.each) {
      list.events.push_back(event);
    } else if (!request.each(event)) {
      break;
    }
  }
  return list;
}

Result<v1::Event> FileSource::GetEvent(std::string_view reference) {
  const bool latest = reference == "latest";
  const v1::Event* found = nullptr;
  for (const v1::Event& event : saved_.events) {
    if (latest ? !event.has_oom() : !event.event_id().starts_with(reference)) {
      continue;
    }
    if (latest || event.event_id() == reference) {
      return event;
    }
    if (found != nullptr) {
      return MakeError(ErrorCode::kAmbiguous, "\"{}\" names several events", reference);
    }
    found = &event;
  }
  if (found == nullptr) {
    return MakeError(ErrorCode::kNotFound, "no event \"{}\" in {}", reference, name_);
  }
  return *found;
}

Result<v1::ExplainEventResponse> FileSource::Explain(std::string_view reference) {
  OOMBOX_TRY(const v1::Event event, GetEvent(reference));
  return ExplainSaved(event, saved_.events);
}

Status FileSource::Watch(const WatchRequest& request, const WatchSink& sink, std::stop_token stop) {
  OOMBOX_TRY(const Filter filter, Filter::Parse(request.filter));
  for (auto event = saved_.events.rbegin(); event != saved_.events.rend(); ++event) {
    if (!filter.Matches(AttributesOf(*event))) {
      continue;
    }
    v1::WatchEventsResponse response;
    *response.mutable_event() = *event;
    if (stop.stop_requested() || !sink.on_response(response)) {
      break;
    }
  }
  return {};
}

Result<std::vector<v1::NodeStatus>> FileSource::Nodes() { return NeedsServer("nodes", name_); }

Result<v1::GetVersionResponse> FileSource::Version() {
  return NeedsServer("a server's version", name_);
}

}  // namespace oombox
