#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "agent/store/annotations.h"
#include "agent/store/event_store.h"
#include "agent/store/sqlite_util.h"

namespace oombox {

// Changes to the tables of the event store. They throw what SQLiteCpp throws: call them inside
// Database::Write only.

// Stores events of one transaction. `now_wall_ns` is what retention by age counts from.
class EventWriter {
 public:
  EventWriter(SQLite::Database& database, int64_t now_wall_ns);

  // False when the stored revision is as high or higher.
  bool Put(const v1::Event& event);
  // Adds the annotations to the event and to every later revision of it.
  Result<StoredEvent> Annotate(StoredEvent stored, const AnnotationList& set);

 private:
  void Remove(int64_t seq);
  // Returns the seq.
  uint64_t Insert(v1::Event event, uint32_t source_revision);
  AnnotationList Notes(const std::string& id);

  const int64_t now_wall_ns_;
  SQLite::Database& database_;
  SQLite::Statement find_;
  SQLite::Statement remove_body_;
  SQLite::Statement remove_event_;
  SQLite::Statement insert_event_;
  SQLite::Statement insert_body_;
  SQLite::Statement count_oom_;
};

// EventStore::Acknowledge. `unreadable`: seqs of rows that no collector was ever sent.
void NoteAcknowledged(SQLite::Database& database, const std::string& collector_epoch, int64_t seq,
                      std::span<const std::string> refused, std::span<const int64_t> unreadable);
// EventStore::NoteCollectorVersion; returns how many are offered again.
size_t NoteCollectorVersion(SQLite::Database& database, const std::string& version,
                            int64_t now_wall_ns);

inline constexpr int64_t kAnyAge = std::numeric_limits<int64_t>::max();

struct Eviction {
  size_t limit = 0;                    // rows at most
  int64_t stored_before_ns = kAnyAge;  // by this store's clock
  int64_t now_wall_ns = 0;
  bool count_unacknowledged = false;  // those that nobody has acknowledged, or that were refused
};
// Removes the oldest; returns how many.
size_t EvictOldest(SQLite::Database& database, const Eviction& eviction);

}  // namespace oombox
