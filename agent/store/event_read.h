#pragma once

#include <mutex>
#include <set>
#include <string_view>
#include <vector>

#include "agent/store/event_store.h"
#include "agent/store/sqlite_util.h"

namespace oombox {

// Queries over the tables of the event store. They throw what SQLiteCpp throws: call them inside
// Database::Read or Database::Write only.

// 16 characters of Crockford's base32 in lower case, or fewer of them for a prefix.
bool IsIdText(std::string_view text);

// Rows whose bytes do not parse, by seq: each is counted once however often it is met, the first
// few are told in the log. Thread-safe; bounded.
class UnreadableRows {
 public:
  void Note(uint64_t seq);
  uint64_t count() const;
  std::vector<int64_t> seqs() const;

 private:
  mutable std::mutex mutex_;
  std::set<uint64_t> seqs_;
};

Result<StoredEvent> FindEvent(SQLite::Database& database, std::string_view reference);
Result<std::vector<StoredEvent>> ListEvents(SQLite::Database& database, const ListQuery& query,
                                            UnreadableRows& unreadable);
Result<std::vector<StoredEvent>> ReadEventsAfter(SQLite::Database& database, uint64_t after,
                                                 size_t limit, UnreadableRows& unreadable);

}  // namespace oombox
