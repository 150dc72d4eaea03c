#include "agent/capture/committed.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "bpf/oombox_abi.h"

namespace oombox {

namespace {

bool StartsWith(std::span<const std::string_view> ring, std::span<const JournalEntry> entries) {
  return entries.size() <= ring.size() &&
         std::equal(entries.begin(), entries.end(), ring.begin(),
                    [](const JournalEntry& entry, std::string_view record) {
                      return entry.bytes == record;
                    });
}

oombox_record_header HeaderOf(std::string_view record) {
  oombox_record_header header{};
  if (record.size() >= sizeof header) {
    std::memcpy(&header, record.data(), sizeof header);
  }
  return header;
}

// Two layouts' programs both record it. Not so a signal or a command line: recorded by the programs
// that saw its kill, which may be one layout's alone; an event takes either once.
bool IsSeenByAll(std::string_view record) {
  const oombox_record_header header = HeaderOf(record);
  return header.type != OOMBOX_RECORD_SIGNAL && header.type != OOMBOX_RECORD_CMDLINE;
}

bool IsOursToo(std::string_view record, uint64_t attached_boottime_ns) {
  return RecordBoottimeNs(record) >= attached_boottime_ns && IsSeenByAll(record);
}

}  // namespace

uint64_t RecordBoottimeNs(std::string_view record) { return HeaderOf(record).boottime_ns; }

size_t CountCommitted(std::span<const std::string_view> ring, std::span<const JournalEntry> tail) {
  while (!tail.empty() && !StartsWith(ring, tail)) {
    tail = tail.subspan(1);
  }
  return tail.size();
}

Result<size_t> ReleaseCommitted(RingReader& ring, Journal& journal) {
  OOMBOX_TRY(const auto tail, journal.ReadLast(kMaxCaptureBatch));
  const size_t count = CountCommitted(ring.Peek(kMaxCaptureBatch), tail);
  if (count > 0) {
    ring.Peek(count);
    ring.Release();
  }
  return count;
}

Result<LeftoverCounts> MoveOlder(RingReader& ring, Journal& journal, int64_t session_id,
                                 uint64_t base_boottime_ns, uint64_t others_until_boottime_ns) {
  LeftoverCounts counts;
  OOMBOX_TRY(counts.duplicates, ReleaseCommitted(ring, journal));
  while (true) {
    const std::vector<std::string_view>& peeked = ring.Peek(kMaxCaptureBatch);
    const auto newer = std::find_if(peeked.begin(), peeked.end(), [&](std::string_view record) {
      return RecordBoottimeNs(record) >= base_boottime_ns;
    });
    const auto count = static_cast<size_t>(newer - peeked.begin());
    if (count == 0) {
      return counts;
    }
    std::vector<std::string_view> records = ring.Peek(count);
    counts.duplicates += std::erase_if(records, [&](std::string_view record) {
      return RecordBoottimeNs(record) < others_until_boottime_ns && IsSeenByAll(record);
    });
    OOMBOX_RETURN_IF_ERROR(journal.Append(session_id, records));
    counts.moved += records.size();
    ring.Release();
  }
}

Result<LeftoverCounts> DrainLeftover(RingReader& ring, Journal& journal, int64_t session_id,
                                     uint64_t attached_boottime_ns) {
  LeftoverCounts counts;
  // Of a batch that was committed, and not released when the agent was killed.
  OOMBOX_TRY(std::vector<JournalEntry> tail, journal.ReadLast(kMaxCaptureBatch));
  while (true) {
    std::vector<std::string_view> records = ring.Peek(kMaxCaptureBatch);
    if (records.empty()) {
      return counts;
    }
    counts.duplicates += std::erase_if(
        records, [&](std::string_view record) { return IsOursToo(record, attached_boottime_ns); });
    const size_t committed = CountCommitted(records, tail);
    tail.clear();
    records.erase(records.begin(), records.begin() + static_cast<ptrdiff_t>(committed));
    counts.duplicates += committed;
    OOMBOX_RETURN_IF_ERROR(journal.Append(session_id, records));
    counts.moved += records.size();
    ring.Release();
  }
}

}  // namespace oombox
