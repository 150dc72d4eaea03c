#pragma once

#include <algorithm>
#include <cstdint>

namespace oombox {

// The id of a journal entry grows, is never used twice, and numbers the kills: its upper bits grow
// by one with each record that counts as a kill, its lower bits with each that does not (signals
// beside a kill, command lines). So two ids tell how many kills lie between them when the file that
// held them is gone. Journals written by version 0.2 numbered their entries, kills all, one by one.
inline constexpr int kJournalKillShift = 20;

constexpr int64_t FirstNumbered(int64_t id) {
  return std::max(id, int64_t{1} << kJournalKillShift);
}

constexpr int64_t NextJournalId(int64_t last, bool kill) {
  const int64_t base = FirstNumbered(last);
  return kill ? ((base >> kJournalKillShift) + 1) << kJournalKillShift : base + 1;
}

constexpr bool IsKillId(int64_t id) {
  return id < int64_t{1} << kJournalKillShift || id % (int64_t{1} << kJournalKillShift) == 0;
}

// Kills with after < id <= last; 0 when last is not after. A span that begins in the old numbering
// and ends in this one has those of this one.
constexpr uint64_t KillsBetween(int64_t after, int64_t last) {
  if (last <= after) {
    return 0;
  }
  if (last < int64_t{1} << kJournalKillShift) {
    return static_cast<uint64_t>(last - after);
  }
  return static_cast<uint64_t>((last >> kJournalKillShift) -
                               (FirstNumbered(after) >> kJournalKillShift));
}

}  // namespace oombox
