#include "agent/store/event_schema.h"

#include <fmt/format.h>

#include "agent/store/filter.h"
#include "agent/store/sqlite_util.h"
#include "oombox/v1/event.pb.h"

namespace oombox {

void MakeEventSchema(SQLite::Database& database) {
  // The columns that a filter can ask for have the names of the fields. The bodies are apart, so
  // that a filter that no index serves reads little. AUTOINCREMENT: a seq is never given out twice.
  database.exec(
      "CREATE TABLE events ("
      "  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,"
      "  source_revision INTEGER NOT NULL, stored_ns INTEGER NOT NULL, kind TEXT NOT NULL,"
      "  time INTEGER NOT NULL, node TEXT NOT NULL, cluster TEXT NOT NULL, cgroup TEXT NOT NULL,"
      "  comm TEXT NOT NULL, workload TEXT NOT NULL, tgid INTEGER NOT NULL) STRICT;"
      "CREATE INDEX events_by_time ON events (time);"
      "CREATE INDEX events_by_workload ON events (workload, kind, time);"
      "CREATE TABLE bodies (seq INTEGER PRIMARY KEY, basic BLOB NOT NULL, full BLOB NOT NULL) "
      "STRICT;"
      // Annotations made in this store, by event; an empty value hides one that the event came
      // with.
      "CREATE TABLE notes (id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
      "  PRIMARY KEY (id, key)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE reports (cluster TEXT NOT NULL, node TEXT NOT NULL,"
      "  received_wall_ns INTEGER NOT NULL, report BLOB NOT NULL, PRIMARY KEY (cluster, node)) "
      "STRICT;"
      "CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL,"
      "  journal_cursor INTEGER NOT NULL, collector_epoch TEXT NOT NULL,"
      "  acknowledged_seq INTEGER NOT NULL, evicted_unacknowledged INTEGER NOT NULL) STRICT;"
      "INSERT INTO state VALUES (1, lower(hex(randomblob(16))), 0, '', 0, 0);");
}

void AddListIndexes(SQLite::Database& database) {
  // For a list of the newest that match an equality; what is rare would be a search through all.
  database.exec(
      "CREATE INDEX events_by_comm ON events (comm, time);"
      "CREATE INDEX events_by_node ON events (node, time);"
      "CREATE INDEX events_by_kind ON events (kind, time);"
      "ALTER TABLE state ADD COLUMN evicted_seq INTEGER NOT NULL DEFAULT 0");
}

void CountOomEvents(SQLite::Database& database) {
  database.exec(
      "ALTER TABLE state ADD COLUMN oom_events INTEGER NOT NULL DEFAULT 0;"
      "UPDATE state SET oom_events = (SELECT count(*) FROM events WHERE kind = 'oom')");
}

namespace {

// An older build stored what it did not know by itself, too: the bodies of newer agents.
void FillContainerColumns(SQLite::Database& database) {
  SQLite::Statement rows(database,
                         "SELECT seq, basic FROM events JOIN bodies USING (seq)"
                         " WHERE kind <> 'gap'");
  SQLite::Statement update(database,
                           "UPDATE events SET namespace = ?, pod = ?, container = ?, owner = ?,"
                           " image = ?, qos = ? WHERE seq = ?");
  while (rows.executeStep()) {
    v1::Event event;
    const std::string_view body = BytesOf(rows.getColumn(1));
    if (!event.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      continue;  // told when somebody reads it
    }
    const EventAttributes attributes = AttributesOf(event);
    if (attributes.qos.empty() && attributes.pod.empty() && attributes.container.empty()) {
      continue;
    }
    update.reset();
    update.bind(1, attributes.namespace_name);
    update.bind(2, attributes.pod);
    update.bind(3, attributes.container);
    update.bind(4, attributes.owner);
    update.bind(5, attributes.image);
    update.bind(6, attributes.qos);
    update.bind(7, rows.getColumn(0).getInt64());
    update.exec();
  }
}

}  // namespace

void AddContainerColumns(SQLite::Database& database) {
  for (const char* column : {"namespace", "pod", "container", "owner", "image", "qos"}) {
    database.exec(fmt::format("ALTER TABLE events ADD COLUMN {} TEXT NOT NULL DEFAULT ''", column));
  }
  FillContainerColumns(database);
  database.exec(
      "CREATE INDEX events_by_pod ON events (pod, time);"
      "CREATE INDEX events_by_namespace ON events (namespace, time);"
      "CREATE INDEX events_by_owner ON events (owner, time)");
}

void NoteWhatIsMissing(SQLite::Database& database) {
  // Of when the newest was that an older build evicted, and whether the collector had it, no note
  // was made: before the oldest that is kept was stored.
  database.exec(
      "ALTER TABLE events ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;"
      "CREATE INDEX events_refused ON events (seq) WHERE refused <> 0;"
      "ALTER TABLE state ADD COLUMN collector_version TEXT NOT NULL DEFAULT '';"
      "ALTER TABLE state ADD COLUMN evicted_time INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE state ADD COLUMN missing_time INTEGER NOT NULL DEFAULT 0;"
      "UPDATE state SET evicted_time = ifnull("
      "  (SELECT max(time, stored_ns) FROM events ORDER BY seq LIMIT 1),"
      "  strftime('%s', 'now') * 1000000000)"
      " WHERE evicted_seq > 0 OR evicted_unacknowledged > 0;"
      "UPDATE state SET missing_time = evicted_time WHERE collector_epoch <> ''");
}

}  // namespace oombox
