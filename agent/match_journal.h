#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"
#include "agent/event/gap.h"
#include "agent/store/event_store.h"
#include "agent/store/journal.h"
#include "bpf/oombox_pinned.h"

namespace oombox {

struct MatchOptions {
  std::string base_file;     // for ReplaceBase
  std::string earlier_file;  // for MarkEarlier
  // Whether a journal entry becomes an event of its own: the journal does not know what it holds.
  std::function<bool(std::string_view)> begins_event;
};

// Journal and store may each be a new one beside an old other, or both be new (a wiped folder), and
// an attachment (null when replaying) outlives both: it has seen every commit, and the store knows
// up to where they were derived. Notes in it what is lost and where the counts begin, and sets the
// store's cursor back when the journal's numbers begin anew; the reconciler tells what was noted.
// Before anybody derives or captures. Killed on the way, the next start ends where this one would.
Status MatchJournalAndStore(Journal& journal, EventStore& store, const MatchOptions& options,
                            oombox_attachment* attachment);

// Where the journal ended, and what was left out, before anything was taken from older rings.
struct EarlierMark {
  int64_t journal_last = 0;
  uint64_t base_events = 0;
};

// Before older rings are taken: kept in a file until ForgetEarlier, so that a start after a SIGKILL
// between the two still knows which entries were taken.
Result<EarlierMark> MarkEarlier(Journal& journal, const MatchOptions& options,
                                const oombox_attachment& attachment);

// What an earlier attachment's ring left for the journal, behind the mark, becomes events, too:
// they are none of this attachment's.
Status LeaveOutEarlier(Journal& journal, const EarlierMark& mark, const MatchOptions& options,
                       oombox_attachment& attachment);

// When all that needs the mark has been told.
void ForgetEarlier(const MatchOptions& options);

// A damaged file was put aside with what was in it: that is a gap, not only a line in the log. What
// was in the store is derived again from the journal; what was in the journal and not derived yet
// is told by the reconciler when there is an attachment, which knows how much that is.
std::vector<Gap> MovedAsideGaps(const Journal& journal, const EventStore& store, bool attached);

// These gaps are stored: the next life need not tell again.
void NoteMovedAsideTold(Journal& journal, EventStore& store);

}  // namespace oombox
