#pragma once

#include <memory>
#include <string>

#include "tools/oombox/event_reader.h"
#include "tools/oombox/event_source.h"

namespace oombox {

// Saved events in memory: filters, references and explanations work as on a server. It knows
// nothing of nodes and versions.
class FileSource final : public EventSource {
 public:
  // `path` "-" is stdin. At most 64 MiB.
  static Result<std::unique_ptr<FileSource>> Open(const std::string& path);

  FileSource(std::string name, SavedEvents saved)
      : name_(std::move(name)), saved_(std::move(saved)) {}

  std::string Describe() const override { return name_; }
  Result<EventList> ListEvents(const ListRequest& request) override;
  Result<v1::Event> GetEvent(std::string_view reference) override;
  Result<v1::ExplainEventResponse> Explain(std::string_view reference) override;
  // Every event that matches, oldest first; then it ends.
  Status Watch(const WatchRequest& request, const WatchSink& sink, std::stop_token stop) override;
  Result<std::vector<v1::NodeStatus>> Nodes() override;
  Result<v1::GetVersionResponse> Version() override;

 private:
  const std::string name_;
  const SavedEvents saved_;
};

}  // namespace oombox
