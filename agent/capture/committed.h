#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "agent/capture/ring_reader.h"
#include "agent/common/result.h"
#include "agent/store/journal.h"

namespace oombox {

// The most records of one group commit, and so of what can be in ring and journal both.
inline constexpr size_t kMaxCaptureBatch = 256;

// When the record was made; 0 when it is too short to tell. The header is the same in every layout.
uint64_t RecordBoottimeNs(std::string_view record);

// How many of the ring's first records are the journal's last: an agent that was killed between
// the commit of a batch and its release leaves the whole batch in both. Pure.
size_t CountCommitted(std::span<const std::string_view> ring, std::span<const JournalEntry> tail);

// Gives back those records, so that a record is in the journal once. Returns how many.
Result<size_t> ReleaseCommitted(RingReader& ring, Journal& journal);

struct LeftoverCounts {
  size_t moved = 0;
  size_t duplicates = 0;  // in the journal already, or recorded by another layout's programs, too
};

// Moves our own ring's records from before `base_boottime_ns` to the journal: an earlier attachment
// left them, or they were made before counting began. The kills before `others_until_boottime_ns`
// were recorded by another layout's programs, too, whose ring has been read: those are left out.
// 0: there was no other layout.
Result<LeftoverCounts> MoveOlder(RingReader& ring, Journal& journal, int64_t session_id,
                                 uint64_t base_boottime_ns, uint64_t others_until_boottime_ns);

// Moves what a detached ring still holds to the journal. Its kills from `attached_boottime_ns` on
// were made while our own programs were attached: they are in our ring, too, and left out here.
Result<LeftoverCounts> DrainLeftover(RingReader& ring, Journal& journal, int64_t session_id,
                                     uint64_t attached_boottime_ns);

}  // namespace oombox
