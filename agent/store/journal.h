#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/common/result.h"

namespace oombox {

// What was true for all records of one boot, kept beside them so that a journal explains itself.
struct JournalSession {
  int64_t id = 0;
  std::string boot_id = {};
  std::string kernel_release = {};
  uint64_t memory_total_bytes = 0;
  uint32_t page_size = 4096;
  uint32_t possible_cpus = 1;
};

// One raw record of the kernel's ring.
struct JournalEntry {
  int64_t id = 0;  // see journal_id.h
  int64_t session_id = 0;
  int64_t committed_wall_ns = 0;
  uint64_t committed_boottime_ns = 0;
  std::string bytes = {};  // as the kernel wrote them
};

// The raw records of the kernel, on disk before the kernel's ring lets go of them. Append returns
// after the commit (one per batch; synchronous=FULL): then a power cut cannot take them.
// Thread-safe. When the file is damaged it is moved aside to <path>.corrupt-<time> and a new one
// begun; `moved_aside()` tells, in every life until NoteMovedAsideTold. Append fails only when the
// disk does; nothing is changed then.
class Journal {
 public:
  struct Options {
    std::string path;
    uint64_t max_bytes = 64ull << 20;               // oldest derived records are removed above it
    int64_t max_age_seconds = int64_t{30} * 86400;  // derived records are removed when older
    // Which records count as a kill (agent/capture/decode.h): given, since the journal does not
    // know what it holds. Null: each.
    std::function<bool(std::string_view)> is_kill = nullptr;
  };

  static Result<std::unique_ptr<Journal>> Open(Options options);
  virtual ~Journal() = default;

  // Finds or creates the session of `session.boot_id`; returns it with its id.
  virtual Result<JournalSession> BeginSession(JournalSession session) = 0;
  virtual Result<JournalSession> Session(int64_t id) = 0;

  // What is not derived yet may take this many times max_bytes.
  static constexpr uint64_t kUnderivedFactor = 4;

  // Commits the batch; returns the id of the last entry. kExhausted when the file holds
  // kUnderivedFactor * max_bytes: the disk is not the journal's alone.
  virtual Result<int64_t> Append(int64_t session_id, std::span<const std::string_view> records) = 0;

  // Entries with id > after, in order, at most `limit`.
  virtual Result<std::vector<JournalEntry>> ReadAfter(int64_t after, size_t limit) = 0;

  // The last entries, in order, at most `limit`.
  virtual Result<std::vector<JournalEntry>> ReadLast(size_t limit) = 0;

  // Removes entries with id <= derived: those that are too old, and the oldest while the file is
  // above max_bytes.
  virtual Status Retain(int64_t derived, int64_t now_wall_ns) = 0;

  virtual Result<int64_t> LastId() = 0;
  // Of the pages in use: what Retain bounds.
  virtual Result<uint64_t> UsedBytes() = 0;
  virtual std::string moved_aside() const = 0;
  // A gap tells of it now: the next life does not.
  virtual Status NoteMovedAsideTold() = 0;
  // Found damaged while in use: stop, and open it again.
  virtual bool damaged() const = 0;
};

}  // namespace oombox
