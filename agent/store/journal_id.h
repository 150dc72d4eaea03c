#pragma once

#include <cstdint>

namespace oombox {

// The id of a journal entry grows, is never used twice, and numbers the kills: its upper half grows
// by one with each record that counts as a kill, its lower half with each that does not (signals
// beside a kill, command lines). So two ids tell how many kills lie between them when the file that
// held them is gone. Versions before 0.3 numbered their entries, kills all, one by one: entry n of
// theirs is kill n, and the next has the number after it.
inline constexpr int kJournalKillShift = 32;

constexpr bool IsOldJournalId(int64_t id) { return id < int64_t{1} << kJournalKillShift; }

// One more than the kills up to this entry.
constexpr int64_t JournalKillNumber(int64_t id) {
  return IsOldJournalId(id) ? id + 1 : id >> kJournalKillShift;
}

constexpr int64_t NextJournalId(int64_t last, bool kill) {
  if (kill) {
    return (JournalKillNumber(last) + 1) << kJournalKillShift;
  }
  return (IsOldJournalId(last) ? JournalKillNumber(last) << kJournalKillShift : last) + 1;
}

constexpr bool IsKillId(int64_t id) {
  return IsOldJournalId(id) || id % (int64_t{1} << kJournalKillShift) == 0;
}

// Kills with after < id <= last; 0 when last is not after.
constexpr uint64_t KillsBetween(int64_t after, int64_t last) {
  return last <= after ? 0
                       : static_cast<uint64_t>(JournalKillNumber(last) - JournalKillNumber(after));
}

}  // namespace oombox
