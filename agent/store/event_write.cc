#include "agent/store/event_write.h"

#include <SQLiteCpp/VariadicBind.h>

#include <algorithm>
#include <utility>

#include "agent/store/basic_view.h"
#include "agent/store/event_read.h"

namespace oombox {

namespace {

constexpr size_t kMaxAnnotations = 64;

void Bind(SQLite::Statement& insert, const EventAttributes& attributes) {
  insert.bind(2, attributes.id);
  insert.bind(5, attributes.kind);
  insert.bind(6, attributes.time_ns);
  insert.bind(7, attributes.node);
  insert.bind(8, attributes.cluster);
  insert.bind(9, attributes.cgroup);
  insert.bind(10, attributes.comm);
  insert.bind(11, attributes.workload);
  insert.bind(12, attributes.tgid);
  insert.bind(13, attributes.namespace_name);
  insert.bind(14, attributes.pod);
  insert.bind(15, attributes.container);
  insert.bind(16, attributes.owner);
  insert.bind(17, attributes.image);
  insert.bind(18, attributes.qos);
}

template <typename... Values>
int64_t RunWithSeq(SQLite::Database& database, const char* sql, int64_t seq, Values... more) {
  SQLite::Statement statement(database, sql);
  SQLite::bind(statement, seq, more...);
  return statement.exec();
}

}  // namespace

EventWriter::EventWriter(SQLite::Database& database, int64_t now_wall_ns)
    : now_wall_ns_(now_wall_ns),
      database_(database),
      find_(database, "SELECT seq, revision, source_revision FROM events WHERE id = ?"),
      remove_body_(database, "DELETE FROM bodies WHERE seq = ?"),
      remove_event_(database, "DELETE FROM events WHERE seq = ?"),
      insert_event_(
          database,
          "INSERT INTO events (stored_ns, id, revision, source_revision, kind, time, node,"
          " cluster, cgroup, comm, workload, tgid, namespace, pod, container, owner, image, qos)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
          "?18)"),
      insert_body_(database, "INSERT INTO bodies (seq, basic, full) VALUES (?, ?, ?)"),
      count_oom_(database, "UPDATE state SET oom_events = oom_events + 1") {}

bool EventWriter::Put(const v1::Event& event) {
  find_.reset();
  find_.bind(1, event.event_id());
  const bool known = find_.executeStep();
  if (known && event.revision() <= find_.getColumn(2).getUInt()) {
    find_.reset();
    return false;
  }
  const bool reconstructed = event.oom().quality().provenance() == v1::PROVENANCE_RECONSTRUCTED;
  if (!known && event.has_oom() && !reconstructed) {
    count_oom_.reset();
    count_oom_.exec();
  }
  v1::Event merged = event;
  if (known) {
    merged.set_revision(std::max(event.revision(), find_.getColumn(1).getUInt() + 1));
    ApplyAnnotations(Notes(event.event_id()), &merged);
    const int64_t old_seq = find_.getColumn(0).getInt64();
    find_.reset();
    Remove(old_seq);
  }
  Insert(std::move(merged), event.revision());
  return true;
}

Result<StoredEvent> EventWriter::Annotate(StoredEvent stored, const AnnotationList& set) {
  if (!stored.event.has_oom()) {
    return MakeError(ErrorCode::kInvalid, "event {} is no OOM kill: it cannot be annotated",
                     stored.event.event_id());
  }
  SQLite::Statement note(database_,
                         "INSERT OR REPLACE INTO notes (id, key, value) VALUES (?, ?, ?)");
  for (const auto& [key, value] : set) {
    note.reset();
    note.bind(1, stored.event.event_id());
    note.bind(2, key);
    note.bind(3, value);
    note.exec();
  }
  ApplyAnnotations(set, &stored.event);
  if (Notes(stored.event.event_id()).size() > kMaxAnnotations ||
      stored.event.ByteSizeLong() > kMaxEventBytes) {
    return MakeError(ErrorCode::kExhausted, "event {} has no room for more annotations",
                     stored.event.event_id());
  }
  find_.reset();
  find_.bind(1, stored.event.event_id());
  uint32_t source_revision = 0;
  if (find_.executeStep()) {
    source_revision = find_.getColumn(2).getUInt();
    const int64_t old_seq = find_.getColumn(0).getInt64();
    find_.reset();
    Remove(old_seq);
  }
  stored.event.set_revision(stored.event.revision() + 1);
  stored.seq = Insert(stored.event, source_revision);
  return stored;
}

// Before an Insert, instead of an update: the row must get a new seq.
void EventWriter::Remove(int64_t seq) {
  for (SQLite::Statement* remove : {&remove_body_, &remove_event_}) {
    remove->reset();
    remove->bind(1, seq);
    remove->exec();
  }
}

uint64_t EventWriter::Insert(v1::Event event, uint32_t source_revision) {
  insert_event_.reset();
  insert_event_.bind(1, now_wall_ns_);
  insert_event_.bind(3, event.revision());
  insert_event_.bind(4, source_revision);
  Bind(insert_event_, AttributesOf(event));
  insert_event_.exec();
  const int64_t seq = database_.getLastInsertRowid();

  event.set_view(v1::EVENT_VIEW_FULL);
  const std::string full_bytes = event.SerializeAsString();
  const std::string basic_bytes = BasicView(std::move(event)).SerializeAsString();
  insert_body_.reset();
  insert_body_.bind(1, seq);
  BindBlob(insert_body_, 2, basic_bytes);
  BindBlob(insert_body_, 3, full_bytes);
  insert_body_.exec();
  return static_cast<uint64_t>(seq);
}

AnnotationList EventWriter::Notes(const std::string& id) {
  SQLite::Statement query(database_, "SELECT key, value FROM notes WHERE id = ?");
  query.bind(1, id);
  AnnotationList notes;
  while (query.executeStep()) {
    notes.emplace_back(query.getColumn(0).getString(), query.getColumn(1).getString());
  }
  return notes;
}

void NoteAcknowledged(SQLite::Database& database, const std::string& collector_epoch, int64_t seq,
                      std::span<const std::string> refused, std::span<const int64_t> unreadable) {
  SQLite::Statement state(database, "SELECT collector_epoch, acknowledged_seq FROM state");
  state.executeStep();
  const std::string before = state.getColumn(0).getString();
  const int64_t seq_before = state.getColumn(1).getInt64();
  state.reset();
  if (before != collector_epoch) {  // it has nothing of what was evicted, and judges for itself
    database.exec("UPDATE state SET missing_time = evicted_time");
    database.exec("UPDATE events SET refused = 0 WHERE refused = 1");
  }
  // On the first collector ever nothing was skipped: its acknowledgement counts at once.
  const bool counts = before == collector_epoch || before.empty();
  SQLite::Statement update(
      database,
      "UPDATE state SET collector_epoch = ?1,"
      " acknowledged_seq = CASE WHEN ?3 THEN max(acknowledged_seq, ?2) ELSE 0 END");
  update.bind(1, collector_epoch);
  update.bind(2, seq);
  update.bind(3, counts ? 1 : 0);
  update.exec();
  SQLite::Statement mark(database, "UPDATE events SET refused = 1 WHERE id = ? AND seq <= ?");
  for (const std::string& id : counts ? refused : std::span<const std::string>()) {
    mark.reset();
    mark.bind(1, id);
    mark.bind(2, seq);
    mark.exec();
  }
  for (const int64_t row : unreadable) {
    if (row > seq_before && row <= seq) {  // what was passed over just now
      RunWithSeq(database, "UPDATE events SET refused = 2 WHERE seq = ?", row);
    }
  }
}

size_t NoteCollectorVersion(SQLite::Database& database, const std::string& version,
                            int64_t now_wall_ns) {
  constexpr int kAtMost = 1000;
  SQLite::Statement note(database,
                         "UPDATE state SET collector_version = ?1"
                         " WHERE collector_version <> ?1");
  note.bind(1, version);
  if (note.exec() == 0) {
    return 0;
  }
  std::vector<int64_t> refused;
  SQLite::Statement rows(database, "SELECT seq FROM events WHERE refused = 1 ORDER BY seq LIMIT ?");
  rows.bind(1, kAtMost);
  while (rows.executeStep()) {
    refused.push_back(rows.getColumn(0).getInt64());
  }
  rows.reset();
  int64_t next = QueryInteger(database, "SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  for (const int64_t seq : refused) {
    ++next;
    // As if it were stored now: the order of seq is the order of storing.
    RunWithSeq(database, "UPDATE events SET seq = ?2, refused = 0, stored_ns = ?3 WHERE seq = ?1",
               seq, next, now_wall_ns);
    RunWithSeq(database, "UPDATE bodies SET seq = ?2 WHERE seq = ?1", seq, next);
  }
  RunWithSeq(database, "UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'", next);
  return refused.size();
}

size_t EvictOldest(SQLite::Database& database, const Eviction& eviction) {
  // In the order of seq, which is the order of storing: stops at the first that is young enough.
  SQLite::Statement oldest(database, "SELECT seq, stored_ns FROM events ORDER BY seq LIMIT ?");
  oldest.bind(1, static_cast<int64_t>(eviction.limit));
  int64_t last_seq = 0;
  while (oldest.executeStep() && oldest.getColumn(1).getInt64() < eviction.stored_before_ns) {
    last_seq = oldest.getColumn(0).getInt64();
  }
  oldest.reset();
  if (last_seq == 0) {
    return 0;
  }
  // Whoever set its clock ahead for a moment made no event of the future: it was before now.
  RunWithSeq(database,
             "UPDATE state SET (evicted_unacknowledged, missing_time) ="
             " (SELECT evicted_unacknowledged + ?3 * count(*),"
             "  max(missing_time, ifnull(max(min(time, ?2)), 0))"
             "  FROM events WHERE seq <= ?1 AND (seq > acknowledged_seq OR refused <> 0))",
             last_seq, eviction.now_wall_ns, eviction.count_unacknowledged ? 1 : 0);
  // Seqs go missing when a revision replaces an event, too: only this tells that one was removed.
  RunWithSeq(database,
             "UPDATE state SET evicted_seq = max(evicted_seq, ?1), evicted_time ="
             " max(evicted_time, (SELECT max(min(time, ?2)) FROM events WHERE seq <= ?1))",
             last_seq, eviction.now_wall_ns);
  RunWithSeq(database, "DELETE FROM notes WHERE id IN (SELECT id FROM events WHERE seq <= ?)",
             last_seq);
  RunWithSeq(database, "DELETE FROM bodies WHERE seq <= ?", last_seq);
  return static_cast<size_t>(RunWithSeq(database, "DELETE FROM events WHERE seq <= ?", last_seq));
}

}  // namespace oombox
