#include "agent/match_journal.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "agent/common/clock.h"
#include "agent/store/journal_id.h"

namespace oombox {

namespace {

// The journal ends before its last known entry: it is a new one. With the same store it is known
// what had become an event; with a new one nothing is, nor what a collector has.
void NoteLost(oombox_attachment& attachment, int64_t journal_last, int64_t derived, bool same_store,
              bool moved_aside) {
  const auto last = static_cast<int64_t>(attachment.journal_last_id);
  if (journal_last >= last) {
    if (moved_aside) {  // nothing was captured into it yet in this attachment: of earlier ones
      attachment.gone_wall_ns = static_cast<__u64>(WallNowNs());
    }
    return;
  }
  const uint64_t captured = KillsBetween(static_cast<int64_t>(attachment.base_journal_id), last);
  if (same_store) {
    const uint64_t lost = KillsBetween(derived, last);
    attachment.damaged.telling =
        std::max(attachment.damaged.told, attachment.damaged.telling) + lost;
    attachment.kills_of_earlier_journals += captured - std::min(lost, captured);
  } else {
    attachment.gone_kills += std::exchange(attachment.kills_of_earlier_journals, 0) + captured;
    attachment.gone_wall_ns = static_cast<__u64>(WallNowNs());
  }
  attachment.base_journal_id = static_cast<__u64>(journal_last);
  attachment.journal_last_id = static_cast<__u64>(journal_last);
}

}  // namespace

Status MatchJournalAndStore(Journal& journal, EventStore& store, oombox_attachment* attachment) {
  OOMBOX_TRY(const int64_t derived, store.JournalCursor());
  OOMBOX_TRY(const int64_t last, journal.LastId());
  OOMBOX_TRY(const StoreStats stats, store.Stats());
  if (attachment != nullptr) {
    const uint64_t store_id = std::hash<std::string>{}(store.epoch());
    if (attachment->base_store == 0) {  // it begins here: nothing was captured before
      attachment->base_journal_id = std::max(static_cast<__u64>(last), attachment->journal_last_id);
    }
    NoteLost(*attachment, last, derived, attachment->base_store == store_id,
             !journal.moved_aside().empty());
    if (attachment->base_store != store_id) {
      attachment->base_events = stats.oom_events_ever;
      attachment->base_store = store_id;
    }
  }
  if (derived > last) {  // or the new journal's first records would be skipped
    OOMBOX_RETURN_IF_ERROR(store.Put({}, 0));
  }
  return {};
}

std::vector<Gap> MovedAsideGaps(const Journal& journal, const EventStore& store, bool attached) {
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
    } else if (attached) {
      continue;
    }
    gaps.push_back(std::move(gap));
  }
  return gaps;
}

}  // namespace oombox
