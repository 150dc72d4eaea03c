#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/oombox/verbs/verbs.h"

namespace oombox {

// What a verb printed and returned.
struct VerbResult {
  std::string out;
  std::string notes;
  int exit_code = -1;
  std::string error;
};

struct RunnerOptions {
  OutputFormat format = OutputFormat::kDefault;
  size_t width = 100;
  bool color = false;
  bool headers = true;
};

// Runs a verb over `source`, made printable as the program does it, at the fixed moment kNow.
VerbResult RunVerb(std::unique_ptr<EventSource> source, const RunnerOptions& options,
                   const std::function<Result<ExitCode>(const VerbContext&)>& verb);

// A source in memory: a file's.
std::unique_ptr<EventSource> SourceOf(std::vector<v1::Event> events,
                                      std::optional<v1::CoverageSummary> coverage = {});

// Answers with what it was given and nothing else.
class NodesSource final : public EventSource {
 public:
  explicit NodesSource(std::vector<v1::NodeStatus> nodes) : nodes_(std::move(nodes)) {}

  std::string Describe() const override { return "the collector at test"; }
  Result<EventList> ListEvents(const ListRequest&) override { return EventList{}; }
  Result<v1::Event> GetEvent(std::string_view) override { return v1::Event(); }
  Result<v1::ExplainEventResponse> Explain(std::string_view) override {
    return v1::ExplainEventResponse();
  }
  Status Watch(const WatchRequest&, const WatchSink&, std::stop_token) override { return {}; }
  Result<std::vector<v1::NodeStatus>> Nodes() override { return nodes_; }
  Result<v1::GetVersionResponse> Version() override { return version; }

  Result<v1::GetVersionResponse> version =
      MakeError(ErrorCode::kUnavailable, "nobody there\ntry: later");

 private:
  std::vector<v1::NodeStatus> nodes_;
};

}  // namespace oombox
