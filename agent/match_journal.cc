#include "agent/match_journal.h"

#include <spdlog/spdlog.h>

#include <functional>
#include <string>

#include "agent/common/clock.h"

namespace oombox {

namespace {

LostJournal NoteLost(oombox_attachment& attachment, int64_t journal_last, int64_t derived,
                     bool same_store) {
  const auto last = static_cast<int64_t>(attachment.journal_last_id);
  if (journal_last >= last) {
    return LostJournal::kCounted;
  }
  if (same_store && last > derived) {
    attachment.damaged.telling = attachment.damaged.told + static_cast<uint64_t>(last - derived);
  }
  attachment.journal_last_id = static_cast<__u64>(journal_last);
  return same_store ? LostJournal::kCounted : LostJournal::kUnknown;
}

}  // namespace

Result<LostJournal> MatchJournalAndStore(Journal& journal, EventStore& store,
                                         oombox_attachment* attachment) {
  OOMBOX_TRY(const int64_t derived, store.JournalCursor());
  OOMBOX_TRY(const int64_t last, journal.LastId());
  OOMBOX_TRY(const StoreStats stats, store.Stats());
  LostJournal lost = LostJournal::kUnknown;
  if (attachment != nullptr) {
    const uint64_t store_id = std::hash<std::string>{}(store.epoch());
    lost = NoteLost(*attachment, last, derived, attachment->base_store == store_id);
    if (attachment->base_store != store_id) {
      attachment->base_events = stats.oom_events_ever;
      attachment->base_store = store_id;
    }
  }
  if (derived > last) {  // or the new journal's first records would be skipped
    OOMBOX_RETURN_IF_ERROR(store.Put({}, 0));
  }
  return lost;
}

std::vector<Gap> MovedAsideGaps(const Journal& journal, const EventStore& store, LostJournal lost) {
  std::vector<Gap> gaps;
  for (const std::string& path : {journal.moved_aside(), store.moved_aside()}) {
    if (path.empty()) {
      continue;
    }
    spdlog::error("a damaged file was moved aside to {}; a new one was begun", path);
    Gap gap{.cause = v1::GapEvent::CAUSE_DAMAGED_FILE,
            .start_wall_ns = WallNowNs(),
            .end_wall_ns = WallNowNs(),
            .detail = "a damaged file was moved aside to " + path,
            .key = path};
    if (path != journal.moved_aside()) {
      gap.detail += "; its kills are derived again from the journal, as far as that reaches back";
    } else if (lost == LostJournal::kCounted) {
      continue;
    }
    gaps.push_back(std::move(gap));
  }
  return gaps;
}

}  // namespace oombox
