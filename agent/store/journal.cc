#include "agent/store/journal.h"

#include <functional>
#include <limits>
#include <utility>

#include "agent/common/clock.h"
#include "agent/store/database.h"
#include "agent/store/journal_id.h"

namespace oombox {

namespace {

constexpr int kApplicationId = 0x6f6f6d6a;  // "oomj"
constexpr int kRetainChunk = 256;           // rows in one transaction: Append waits for one at most
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kAnyAge = std::numeric_limits<int64_t>::max();

void MakeSchema(SQLite::Database& database) {
  database.exec(
      "CREATE TABLE sessions ("
      "  id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE, kernel_release TEXT NOT NULL,"
      "  memory_total_bytes INTEGER NOT NULL, page_size INTEGER NOT NULL,"
      "  possible_cpus INTEGER NOT NULL) STRICT;"
      // AUTOINCREMENT remembers the last id also when retention has emptied the table.
      "CREATE TABLE entries ("
      "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
      "  session_id INTEGER NOT NULL REFERENCES sessions(id), committed_wall_ns INTEGER NOT NULL,"
      "  committed_boottime_ns INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;");
}

// Since 0.3 ids number the kills (journal_id.h). The tables are the same; the step keeps an older
// version, which would count wrongly, from opening the file.
void NumberKills(SQLite::Database& /*database*/) {}

JournalSession SessionFromRow(SQLite::Statement& row) {
  JournalSession session;
  session.id = row.getColumn(0).getInt64();
  session.boot_id = row.getColumn(1).getString();
  session.kernel_release = row.getColumn(2).getString();
  session.memory_total_bytes = static_cast<uint64_t>(row.getColumn(3).getInt64());
  session.page_size = row.getColumn(4).getUInt();
  session.possible_cpus = row.getColumn(5).getUInt();
  return session;
}

int64_t QueryLastId(SQLite::Database& db) {
  return QueryInteger(db, "SELECT seq FROM sqlite_sequence WHERE name = 'entries'");
}

// id, session_id, committed_wall_ns, committed_boottime_ns, bytes
std::vector<JournalEntry> EntriesFrom(SQLite::Statement& query) {
  std::vector<JournalEntry> entries;
  while (query.executeStep()) {
    entries.push_back(
        {.id = query.getColumn(0).getInt64(),
         .session_id = query.getColumn(1).getInt64(),
         .committed_wall_ns = query.getColumn(2).getInt64(),
         .committed_boottime_ns = static_cast<uint64_t>(query.getColumn(3).getInt64()),
         .bytes = std::string(BytesOf(query.getColumn(4)))});
  }
  return entries;
}

constexpr const char* kSelectSession =
    "SELECT id, boot_id, kernel_release, memory_total_bytes, page_size, possible_cpus FROM "
    "sessions ";

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(std::unique_ptr<Database> database, Options options)
      : database_(std::move(database)), options_(std::move(options)) {}

  Result<JournalSession> BeginSession(JournalSession session) override;
  Result<JournalSession> Session(int64_t id) override;
  Result<int64_t> Append(int64_t session_id, std::span<const std::string_view> records) override;
  Result<std::vector<JournalEntry>> ReadAfter(int64_t after, size_t limit) override;
  Result<std::vector<JournalEntry>> ReadLast(size_t limit) override;
  Status Retain(int64_t derived, int64_t now_wall_ns) override;
  Result<int64_t> LastId() override;
  Result<uint64_t> UsedBytes() override;
  std::string moved_aside() const override { return database_->moved_aside(); }
  Status NoteMovedAsideTold() override { return database_->NoteMovedAsideTold(); }
  bool damaged() const override { return database_->damaged(); }

 private:
  // Removes the oldest derived entries chunk by chunk while `more` (asked inside the transaction)
  // says so.
  Status RemoveWhile(int64_t derived, int64_t committed_before_ns,
                     const std::function<bool(SQLite::Database&)>& more);

  const std::unique_ptr<Database> database_;
  const Options options_;
};

Result<JournalSession> SqliteJournal::BeginSession(JournalSession session) {
  return database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<JournalSession> {
    SQLite::Statement find(db, std::string(kSelectSession) + "WHERE boot_id = ?");
    find.bind(1, session.boot_id);
    if (find.executeStep()) {
      return SessionFromRow(find);
    }
    SQLite::Statement insert(db,
                             "INSERT INTO sessions (boot_id, kernel_release, memory_total_bytes, "
                             "page_size, possible_cpus)"
                             " VALUES (?, ?, ?, ?, ?)");
    insert.bind(1, session.boot_id);
    insert.bind(2, session.kernel_release);
    insert.bind(3, static_cast<int64_t>(session.memory_total_bytes));
    insert.bind(4, session.page_size);
    insert.bind(5, session.possible_cpus);
    insert.exec();
    session.id = db.getLastInsertRowid();
    return session;
  });
}

Result<JournalSession> SqliteJournal::Session(int64_t id) {
  return database_->Read([&](SQLite::Database& db) -> Result<JournalSession> {
    SQLite::Statement find(db, std::string(kSelectSession) + "WHERE id = ?");
    find.bind(1, id);
    if (!find.executeStep()) {
      return MakeError(ErrorCode::kNotFound, "journal session {} does not exist", id);
    }
    return SessionFromRow(find);
  });
}

Result<int64_t> SqliteJournal::Append(int64_t session_id,
                                      std::span<const std::string_view> records) {
  if (records.empty()) {
    return LastId();
  }
  return database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<int64_t> {
    if (const uint64_t used = oombox::UsedBytes(db);
        used >= kUnderivedFactor * options_.max_bytes) {
      return MakeError(ErrorCode::kExhausted,
                       "{} holds {} bytes of records that are no events yet: see why the event "
                       "store refuses them, or raise journal-max-bytes",
                       options_.path, used);
    }
    SQLite::Statement insert(
        db,
        "INSERT INTO entries (session_id, committed_wall_ns, committed_boottime_ns, bytes, id)"
        " VALUES (?, ?, ?, ?, ?)");
    int64_t id = QueryLastId(db);
    const int64_t wall_ns = WallNowNs();
    const auto boottime_ns = static_cast<int64_t>(BootNowNs());
    for (const std::string_view record : records) {
      insert.bind(1, session_id);
      insert.bind(2, wall_ns);
      insert.bind(3, boottime_ns);
      BindBlob(insert, 4, record);
      id = NextJournalId(id, !options_.is_kill || options_.is_kill(record));
      insert.bind(5, id);
      insert.exec();
      insert.reset();
    }
    return id;
  });
}

Result<std::vector<JournalEntry>> SqliteJournal::ReadAfter(int64_t after, size_t limit) {
  return database_->Read([&](SQLite::Database& db) -> Result<std::vector<JournalEntry>> {
    SQLite::Statement query(
        db,
        "SELECT id, session_id, committed_wall_ns, committed_boottime_ns, bytes FROM entries"
        " WHERE id > ? ORDER BY id LIMIT ?");
    query.bind(1, after);
    query.bind(2, static_cast<int64_t>(limit));
    return EntriesFrom(query);
  });
}

Result<std::vector<JournalEntry>> SqliteJournal::ReadLast(size_t limit) {
  return database_->Read([&](SQLite::Database& db) -> Result<std::vector<JournalEntry>> {
    SQLite::Statement query(
        db,
        "SELECT * FROM (SELECT id, session_id, committed_wall_ns, committed_boottime_ns, bytes"
        " FROM entries ORDER BY id DESC LIMIT ?) ORDER BY id");
    query.bind(1, static_cast<int64_t>(limit));
    return EntriesFrom(query);
  });
}

Status SqliteJournal::RemoveWhile(int64_t derived, int64_t committed_before_ns,
                                  const std::function<bool(SQLite::Database&)>& more) {
  bool go_on = true;
  while (go_on) {
    OOMBOX_TRY(
        go_on, database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<bool> {
          // By id: the clock may have been set, the order of the commits is certain.
          SQLite::Statement remove(db,
                                   "DELETE FROM entries WHERE committed_wall_ns < ?1 AND id IN"
                                   " (SELECT id FROM entries WHERE id <= ?2 ORDER BY id LIMIT ?3)");
          remove.bind(1, committed_before_ns);
          remove.bind(2, derived);
          remove.bind(3, kRetainChunk);
          return remove.exec() > 0 && more(db);
        }));
  }
  return {};
}

Status SqliteJournal::Retain(int64_t derived, int64_t now_wall_ns) {
  const int64_t cutoff_ns = now_wall_ns - options_.max_age_seconds * kNsPerSecond;
  OOMBOX_RETURN_IF_ERROR(RemoveWhile(derived, cutoff_ns, [](SQLite::Database&) { return true; }));
  OOMBOX_TRY(const uint64_t used, UsedBytes());
  if (used <= options_.max_bytes) {
    return {};
  }
  // A little below the limit, so that the next batches do not each delete a few rows.
  const uint64_t low_water = options_.max_bytes - options_.max_bytes / 16;
  return RemoveWhile(derived, kAnyAge,
                     [&](SQLite::Database& db) { return oombox::UsedBytes(db) > low_water; });
}

Result<int64_t> SqliteJournal::LastId() {
  return database_->Read([](SQLite::Database& db) -> Result<int64_t> { return QueryLastId(db); });
}

Result<uint64_t> SqliteJournal::UsedBytes() {
  return database_->Read(
      [](SQLite::Database& db) -> Result<uint64_t> { return oombox::UsedBytes(db); });
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::Open(Options options) {
  OOMBOX_TRY(auto database, Database::Open({.path = options.path,
                                            .what = "journal",
                                            .application_id = kApplicationId,
                                            .schema = {MakeSchema, NumberKills}}));
  return std::unique_ptr<Journal>(
      std::make_unique<SqliteJournal>(std::move(database), std::move(options)));
}

}  // namespace oombox
