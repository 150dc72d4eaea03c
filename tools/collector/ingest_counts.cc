#include "tools/collector/ingest_counts.h"

namespace oombox {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}  // namespace

void IngestCounts::Add(const Round& round) {
  const uint64_t left = round.received - round.rejected - round.stored;
  received_.fetch_add(round.received, kRelaxed);
  stored_.fetch_add(round.stored, kRelaxed);
  rejected_.fetch_add(round.rejected, kRelaxed);
  (round.failed ? returned_ : repeated_).fetch_add(left, kRelaxed);
  failed_commits_.fetch_add(round.failed ? 1 : 0, kRelaxed);
  if (const uint64_t committed = round.received - round.rejected; committed > 0) {
    commit_ns_.Record(static_cast<uint64_t>(round.duration.count()));
    commit_events_.Record(committed);
  }
}

IngestCounts::Values IngestCounts::Read() const {
  return {.received = received_.load(kRelaxed),
          .stored = stored_.load(kRelaxed),
          .repeated = repeated_.load(kRelaxed),
          .rejected = rejected_.load(kRelaxed),
          .returned = returned_.load(kRelaxed),
          .failed_commits = failed_commits_.load(kRelaxed),
          .reports = reports_.load(kRelaxed),
          .commit_ns = commit_ns_.Snapshot(),
          .commit_events = commit_events_.Snapshot()};
}

}  // namespace oombox
