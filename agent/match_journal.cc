#include "agent/match_journal.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "agent/attachment_base.h"
#include "agent/common/clock.h"
#include "agent/common/replace_file.h"
#include "agent/store/journal_id.h"

namespace oombox {

namespace {

// The two files as they were found.
struct Found {
  int64_t journal_last = 0;
  int64_t before_journal = 0;  // what is up to here is not in the journal any more
  bool journal_moved_aside = false;
  int64_t derived = 0;
  uint64_t store = 0;  // a hash of its epoch
  uint64_t events_ever = 0;
};

Result<Found> Look(Journal& journal, EventStore& store) {
  Found found;
  OOMBOX_TRY(found.derived, store.JournalCursor());
  OOMBOX_TRY(found.journal_last, journal.LastId());
  OOMBOX_TRY(const auto first, journal.ReadAfter(0, 1));
  OOMBOX_TRY(const StoreStats stats, store.Stats());
  found.before_journal = first.empty() ? found.journal_last : first[0].id - 1;
  found.journal_moved_aside = !journal.moved_aside().empty();
  found.store = std::hash<std::string>{}(store.epoch());
  found.events_ever = stats.oom_events_ever;
  return found;
}

// The journal ends before its last known entry: it is a new one. With the same store it is known
// what had become an event; with a new one nothing is, nor what a collector has.
void NoteNewJournal(const Found& found, bool same_store, AttachmentBase& base) {
  const auto last = static_cast<int64_t>(base.journal_last_id);
  const uint64_t captured = KillsBetween(static_cast<int64_t>(base.base_journal_id), last);
  if (same_store) {
    const uint64_t lost = KillsBetween(found.derived, last);
    base.damaged += lost;
    base.kills_of_earlier_journals += captured - std::min(lost, captured);
  } else {
    base.gone_kills += std::exchange(base.kills_of_earlier_journals, 0) + captured;
    base.gone_wall_ns = static_cast<uint64_t>(WallNowNs());
  }
  base.base_journal_id = static_cast<uint64_t>(found.journal_last);
  base.journal_last_id = static_cast<uint64_t>(found.journal_last);
}

// Beside a journal that goes on: what it still has is derived again, the rest stood in the old
// store alone.
void NoteNewStore(const Found& found, AttachmentBase& base) {
  const auto begin = static_cast<int64_t>(base.base_journal_id);
  const auto last = static_cast<int64_t>(base.journal_last_id);
  const uint64_t gone = std::exchange(base.kills_of_earlier_journals, 0) +
                        KillsBetween(begin, std::min(found.before_journal, last));
  if (gone > 0) {
    base.gone_kills += gone;
    base.gone_wall_ns = static_cast<uint64_t>(WallNowNs());
  }
  base.base_journal_id = static_cast<uint64_t>(std::max(begin, found.before_journal));
}

AttachmentBase NextBase(const Found& found, AttachmentBase base) {
  const bool begins = base.base_store == 0;  // nothing was captured before
  if (begins) {
    base.base_journal_id =
        std::max(static_cast<uint64_t>(found.journal_last), base.journal_last_id);
  }
  if (found.journal_last < static_cast<int64_t>(base.journal_last_id)) {
    NoteNewJournal(found, base.base_store == found.store, base);
    return base;
  }
  if (found.journal_moved_aside) {  // of earlier attachments: this one wrote nothing yet
    base.gone_wall_ns = static_cast<uint64_t>(WallNowNs());
  }
  if (!begins && base.base_store != found.store) {
    NoteNewStore(found, base);
  }
  return base;
}

// Events that entries with after < id <= last will become.
Result<uint64_t> EventsBetween(Journal& journal, int64_t after, int64_t last,
                               const std::function<bool(std::string_view)>& begins_event) {
  constexpr size_t kPage = 256;
  uint64_t events = 0;
  while (after < last) {
    OOMBOX_TRY(const auto page, journal.ReadAfter(after, kPage));
    for (const JournalEntry& entry : page) {
      events += entry.id <= last && begins_event(entry.bytes) ? 1 : 0;
    }
    after = page.empty() ? last : page.back().id;
  }
  return events;
}

}  // namespace

Status MatchJournalAndStore(Journal& journal, EventStore& store, const MatchOptions& options,
                            oombox_attachment* attachment) {
  if (attachment != nullptr) {
    FinishBase(options.base_file, *attachment);
  }
  OOMBOX_TRY(const Found found, Look(journal, store));
  const bool anew = found.derived > found.journal_last;
  if (attachment != nullptr) {
    AttachmentBase base = NextBase(found, BaseOf(*attachment));
    if (base.base_store != found.store) {
      // What is derived from now on begins with what was captured before.
      OOMBOX_TRY(const uint64_t earlier,
                 EventsBetween(journal, anew ? 0 : found.derived,
                               static_cast<int64_t>(base.base_journal_id), options.begins_event));
      base.base_events = found.events_ever + earlier;
      base.base_store = found.store;
    }
    OOMBOX_RETURN_IF_ERROR(ReplaceBase(options.base_file, base, *attachment));
    OOMBOX_RETURN_IF_ERROR(journal.NoteMovedAsideTold());  // the attachment knows
  }
  if (anew) {  // or the new journal's first records would be skipped
    OOMBOX_RETURN_IF_ERROR(store.Put({}, 0));
  }
  return {};
}

Result<EarlierMark> MarkEarlier(Journal& journal, const MatchOptions& options,
                                const oombox_attachment& attachment) {
  EarlierMark mark;
  OOMBOX_TRY(const int64_t last, journal.LastId());
  uint64_t attach_boottime_ns = 0;
  uint64_t store = 0;
  std::ifstream in(options.earlier_file);
  if (in >> attach_boottime_ns >> store >> mark.journal_last >> mark.base_events &&
      attach_boottime_ns == attachment.attach_boottime_ns && store == attachment.base_store &&
      mark.journal_last <= last) {
    return mark;
  }
  mark = {.journal_last = last, .base_events = attachment.base_events};
  const auto kept =
      ReplaceFile(options.earlier_file, fmt::format("{} {} {} {}\n", attachment.attach_boottime_ns,
                                                    attachment.base_store, last, mark.base_events));
  if (!kept) {  // it is only for a SIGKILL in the next moments
    spdlog::warn("{}", kept.error().message);
  }
  return mark;
}

Status LeaveOutEarlier(Journal& journal, const EarlierMark& mark, const MatchOptions& options,
                       oombox_attachment& attachment) {
  OOMBOX_TRY(const int64_t last, journal.LastId());
  AttachmentBase base = BaseOf(attachment);
  OOMBOX_TRY(const uint64_t earlier,
             EventsBetween(journal, mark.journal_last, last, options.begins_event));
  base.base_events = mark.base_events + earlier;
  // Nothing of its own is there yet.
  if (base.base_journal_id == static_cast<uint64_t>(mark.journal_last)) {
    base.base_journal_id = static_cast<uint64_t>(last);
  }
  return ReplaceBase(options.base_file, base, attachment);
}

void ForgetEarlier(const MatchOptions& options) { std::remove(options.earlier_file.c_str()); }

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

void NoteMovedAsideTold(Journal& journal, EventStore& store) {
  for (const Status& noted : {journal.NoteMovedAsideTold(), store.NoteMovedAsideTold()}) {
    if (!noted) {
      spdlog::warn("{}", noted.error().message);
    }
  }
}

}  // namespace oombox
