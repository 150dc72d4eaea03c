#pragma once

#include <vector>

#include "agent/common/result.h"
#include "agent/event/gap.h"
#include "agent/store/event_store.h"
#include "agent/store/journal.h"
#include "bpf/oombox_pinned.h"

namespace oombox {

// What is known of a journal that was moved aside or is gone.
enum class LostJournal {
  kCounted,  // the attachment has noted how many of its records were no events yet (maybe none)
  kUnknown,
};

// Journal and store may each be a new one beside an old other, and an attachment (null when
// replaying) outlives both: it has seen every commit, and the store knows up to where they were
// derived. Notes what is lost and where the counts begin, and sets the store's cursor back when the
// journal's numbers begin anew. Before anybody derives or captures; killed on the way, the next
// start finds the same.
Result<LostJournal> MatchJournalAndStore(Journal& journal, EventStore& store,
                                         oombox_attachment* attachment);

// A damaged file was put aside with what was in it: that is a gap, not only a line in the log. What
// was in the store is derived again from the journal; what was in the journal and not derived yet
// is told by the reconciler when it knows how much that is (kCounted).
std::vector<Gap> MovedAsideGaps(const Journal& journal, const EventStore& store, LostJournal lost);

}  // namespace oombox
