#include "tools/collector/coverage_book.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

CoverageBook::Key KeyOf(const v1::NodeIdentity& node) {
  return {node.cluster_name(), node.node_name()};
}

CoverageBook::Entry EntryOf(const v1::NodeReport& report, int64_t received_wall_ns) {
  const v1::PipelineDepths& depths = report.depths();
  v1::Coverage coverage = report.coverage();
  if (depths.has_removed_until()) {
    // It was before it was told, whatever the node's clock says.
    *coverage.mutable_removed_until() =
        std::min(depths.removed_until(), TimeUtil::NanosecondsToTimestamp(received_wall_ns),
                 [](const auto& a, const auto& b) { return a < b; });
  }
  return {.coverage = std::move(coverage),
          .unacknowledged = depths.unacknowledged(),
          // When they had happened an older agent does not tell.
          .evicted = depths.has_refused() ? 0 : depths.evicted_unacknowledged(),
          .rejected = depths.has_refused() ? depths.refused() : report.uplink().rejected(),
          .store_epoch = report.store_epoch(),
          .last_seq = depths.last_seq(),
          .received_wall_ns = received_wall_ns};
}

}  // namespace

void CoverageBook::Load(const std::vector<EventStore::StoredReport>& reports) {
  for (const EventStore::StoredReport& stored : reports) {
    Note(stored.report, stored.received_wall_ns);
  }
}

void CoverageBook::Note(const v1::NodeReport& report, int64_t received_wall_ns) {
  Entry entry = EntryOf(report, received_wall_ns);
  entry.coverage.clear_unavailable();  // summaries leave it out
  std::lock_guard lock(mutex_);
  const Key key = KeyOf(report.node());
  if (const auto committed = committed_.find(key); committed != committed_.end()) {
    // Now the node counts it itself, or has had a later revision of it taken.
    const bool knows = entry.store_epoch == committed->second.store_epoch &&
                       entry.last_seq >= committed->second.refused_seq &&
                       (entry.rejected > 0 || entry.unacknowledged == 0);
    committed->second.refused_seq = knows ? 0 : committed->second.refused_seq;
  }
  entries_[key] = std::move(entry);
}

void CoverageBook::NoteCommitted(const Key& key, const std::string& store_epoch, uint64_t seq) {
  std::lock_guard lock(mutex_);
  HasCome(key, store_epoch, seq);
}

// Never without the refusal: what came before may have been all that was missing.
void CoverageBook::NoteRefused(const Key& key, const std::string& store_epoch, uint64_t seq) {
  std::lock_guard lock(mutex_);
  HasCome(key, store_epoch, seq).refused_seq = seq;
}

CoverageBook::Committed& CoverageBook::HasCome(const Key& key, const std::string& store_epoch,
                                               uint64_t seq) {
  Committed& committed = committed_[key];
  if (std::exchange(committed.store_epoch, store_epoch) != store_epoch) {
    committed.refused_seq = 0;
  }
  committed.seq = seq;
  return committed;
}

void CoverageBook::Forget(int64_t wall_ns) {
  std::lock_guard lock(mutex_);
  std::erase_if(entries_,
                [&](const auto& entry) { return entry.second.received_wall_ns < wall_ns; });
  std::erase_if(committed_,
                [&](const auto& committed) { return !entries_.contains(committed.first); });
}

// A report is a moment old: what it calls unacknowledged may have come since.
v1::Coverage CoverageBook::Here(const Key& key, const Entry& entry) const {
  v1::Coverage coverage = entry.coverage;
  if (coverage.state() != v1::Coverage::STATE_COMPLETE &&
      coverage.state() != v1::Coverage::STATE_INCOMPLETE) {
    return coverage;
  }
  const auto committed = committed_.find(key);
  const bool is_its =
      committed != committed_.end() && committed->second.store_epoch == entry.store_epoch;
  const bool has_come = is_its && entry.last_seq > 0 && committed->second.seq >= entry.last_seq;
  std::vector<std::string> reasons;
  const auto add = [&](uint64_t count, const char* what) {
    if (count > 0) {
      reasons.push_back(fmt::format("{} of its events {}", count, what));
    }
  };
  if (!coverage.reason().empty()) {
    reasons.push_back(coverage.reason());
  }
  add(has_come ? 0 : entry.unacknowledged, "are not here yet");
  add(entry.evicted, "were removed on the node before they came here");
  const bool refused_since = is_its && committed->second.refused_seq > 0;
  add(std::max<uint64_t>(entry.rejected, refused_since ? 1 : 0),
      "were refused here and stay on the node");
  if (!reasons.empty()) {
    coverage.set_state(v1::Coverage::STATE_INCOMPLETE);
    coverage.set_reason(fmt::format("{}", fmt::join(reasons, "; ")));
  }
  return coverage;
}

std::optional<v1::Coverage> CoverageBook::Find(const Key& key) const {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? std::nullopt : std::optional(Here(key, entry->second));
}

void CoverageBook::ForEach(const std::function<void(const Key&, const v1::Coverage& here,
                                                    int64_t received_wall_ns)>& visit) const {
  std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    visit(key, Here(key, entry), entry.received_wall_ns);
  }
}

bool CoverageBook::Contains(const Key& key) const {
  std::lock_guard lock(mutex_);
  return entries_.contains(key);
}

}  // namespace oombox
