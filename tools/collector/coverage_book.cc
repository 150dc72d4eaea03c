#include "tools/collector/coverage_book.h"

namespace oombox {

void CoverageBook::Load(const std::vector<EventStore::StoredReport>& reports) {
  for (const EventStore::StoredReport& stored : reports) {
    Note(stored.report, stored.received_wall_ns);
  }
}

void CoverageBook::Note(const v1::NodeReport& report, int64_t received_wall_ns) {
  Entry entry{report.coverage(), received_wall_ns};
  entry.coverage.clear_unavailable();  // summaries leave it out
  std::lock_guard lock(mutex_);
  entries_[{report.node().cluster_name(), report.node().node_name()}] = std::move(entry);
}

void CoverageBook::Forget(int64_t wall_ns) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_,
                [&](const auto& entry) { return entry.second.received_wall_ns < wall_ns; });
}

void CoverageBook::ForEach(const std::function<void(const Key&, const Entry&)>& visit) const {
  std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    visit(key, entry);
  }
}

bool CoverageBook::Contains(const Key& key) const {
  std::lock_guard lock(mutex_);
  return entries_.contains(key);
}

}  // namespace oombox
