#include "agent/store/event_store.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "agent/common/clock.h"
#include "agent/common/text.h"
#include "agent/store/annotations.h"
#include "agent/store/database.h"
#include "agent/store/event_read.h"
#include "agent/store/event_schema.h"
#include "agent/store/event_write.h"
#include "agent/store/subscribers.h"

namespace oombox {

namespace {

constexpr int kApplicationId = 0x6f6f6d65;  // "oome"
constexpr size_t kIdLength = 16;
constexpr size_t kEvictChunk = 64;  // rows in one transaction: Put waits for one at most
constexpr int64_t kNsPerSecond = 1'000'000'000;
// Less is an adjustment of the clock, no setting of it.
constexpr int64_t kClockStepNs = 60 * kNsPerSecond;

class SqliteEventStore final : public EventStore {
 public:
  SqliteEventStore(std::unique_ptr<Database> database, std::string epoch, int64_t last_seq,
                   Options options)
      : database_(std::move(database)),
        epoch_(std::move(epoch)),
        earlier_seq_(last_seq),
        options_(std::move(options)),
        clock_offset_ns_(ClockOffsetNs()) {}

  const std::string& epoch() const override { return epoch_; }
  std::string moved_aside() const override { return database_->moved_aside(); }
  Status NoteMovedAsideTold() override { return database_->NoteMovedAsideTold(); }
  bool damaged() const override { return database_->damaged(); }

  Result<size_t> Put(std::span<const v1::Event> events,
                     std::optional<int64_t> journal_cursor) override;
  Result<int64_t> JournalCursor() override;
  Result<StoredEvent> Get(std::string_view reference) override;
  Result<std::vector<StoredEvent>> List(const ListQuery& query) override;
  Result<std::vector<StoredEvent>> ReadAfter(uint64_t after, size_t limit) override;
  Result<StoredEvent> Annotate(std::string_view reference, const AnnotationList& set) override;
  Result<WorkloadHistory> History(const EventAttributes& like) override;
  Status Acknowledge(const std::string& collector_epoch, uint64_t seq,
                     std::span<const std::string> refused) override;
  Status NoteCollectorVersion(const std::string& version) override;
  Result<std::pair<std::string, uint64_t>> Acknowledged() override;
  Status PutReports(std::span<const StoredReport> reports) override;
  Result<std::vector<StoredReport>> Reports() override;
  Status ForgetReports(int64_t wall_ns) override;
  Status Retain(int64_t now_wall_ns) override;
  Result<StoreStats> Stats() override;
  Result<SeqBounds> Bounds() override;
  std::unique_ptr<Subscription> Subscribe(std::function<void()> callback) override {
    return subscribers_.Add(std::move(callback));
  }

 private:
  // Evicts chunk by chunk while `more` (asked inside the transaction) says so.
  Status EvictWhile(int64_t stored_before_ns, int64_t now_wall_ns,
                    const std::function<bool(SQLite::Database&)>& more);

  int64_t ClockOffsetNs() const {
    return options_.wall_now() - static_cast<int64_t>(options_.boot_now());
  }
  // Before anything reads or writes the age of an event: when the clock was set (a machine without
  // a battery begins in 1970), what this process has stored moves along, so that it keeps its age.
  // What an earlier one stored is left alone: by which clock, nobody knows.
  Status FollowClock();

  const std::unique_ptr<Database> database_;
  const std::string epoch_;
  const int64_t earlier_seq_;  // up to here an earlier process stored
  const Options options_;
  std::mutex clock_mutex_;
  int64_t clock_offset_ns_;  // wall clock minus boottime
  UnreadableRows unreadable_;
  Subscribers subscribers_;
  std::atomic<uint64_t> evicted_ = 0;
};

Status SqliteEventStore::FollowClock() {
  const std::lock_guard lock(clock_mutex_);
  const int64_t offset_ns = ClockOffsetNs();
  const int64_t step_ns = offset_ns - clock_offset_ns_;
  if (std::abs(step_ns) < kClockStepNs) {
    return {};
  }
  OOMBOX_RETURN_IF_ERROR(database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Status {
    SQLite::Statement update(db, "UPDATE events SET stored_ns = stored_ns + ? WHERE seq > ?");
    update.bind(1, step_ns);
    update.bind(2, earlier_seq_);
    update.exec();
    return {};
  }));
  clock_offset_ns_ = offset_ns;
  return {};
}

Result<size_t> SqliteEventStore::Put(std::span<const v1::Event> events,
                                     std::optional<int64_t> journal_cursor) {
  for (const v1::Event& event : events) {
    OOMBOX_RETURN_IF_ERROR(CheckStorable(event));
  }
  if (events.empty() && !journal_cursor.has_value()) {
    return 0;
  }
  OOMBOX_RETURN_IF_ERROR(FollowClock());
  OOMBOX_TRY(const size_t changed,
             database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<size_t> {
               EventWriter writer(db, options_.wall_now());
               size_t rows = 0;
               for (const v1::Event& event : events) {
                 rows += writer.Put(event) ? 1 : 0;
               }
               if (journal_cursor.has_value()) {
                 SQLite::Statement cursor(db, "UPDATE state SET journal_cursor = ?");
                 cursor.bind(1, *journal_cursor);
                 cursor.exec();
               }
               return rows;
             }));
  if (changed > 0) {
    subscribers_.Notify();
  }
  return changed;
}

Result<int64_t> SqliteEventStore::JournalCursor() {
  return database_->Read([](SQLite::Database& db) -> Result<int64_t> {
    return QueryInteger(db, "SELECT journal_cursor FROM state");
  });
}

Result<StoredEvent> SqliteEventStore::Get(std::string_view reference) {
  return database_->Read([&](SQLite::Database& db) { return FindEvent(db, reference); });
}

Result<std::vector<StoredEvent>> SqliteEventStore::List(const ListQuery& query) {
  return database_->Read([&](SQLite::Database& db) { return ListEvents(db, query, unreadable_); });
}

Result<std::vector<StoredEvent>> SqliteEventStore::ReadAfter(uint64_t after, size_t limit) {
  return database_->Read(
      [&](SQLite::Database& db) { return ReadEventsAfter(db, after, limit, unreadable_); });
}

Result<StoredEvent> SqliteEventStore::Annotate(std::string_view reference,
                                               const AnnotationList& set) {
  OOMBOX_RETURN_IF_ERROR(CheckAnnotations(set));
  OOMBOX_RETURN_IF_ERROR(FollowClock());
  OOMBOX_TRY(StoredEvent annotated,
             database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<StoredEvent> {
               OOMBOX_TRY(StoredEvent stored, FindEvent(db, reference));
               return EventWriter(db, options_.wall_now()).Annotate(std::move(stored), set);
             }));
  subscribers_.Notify();
  return annotated;
}

Result<EventStore::WorkloadHistory> SqliteEventStore::History(const EventAttributes& like) {
  return database_->Read([&](SQLite::Database& db) -> Result<WorkloadHistory> {
    // What has an owner is the same workload on every node.
    SQLite::Statement query(db,
                            "SELECT count(*), min(time) FROM events WHERE workload = ?1"
                            " AND kind = 'oom' AND cluster = ?2 AND (node = ?3 OR ?4 <> '')");
    query.bind(1, like.workload);
    query.bind(2, like.cluster);
    query.bind(3, like.node);
    query.bind(4, like.owner);
    query.executeStep();
    return WorkloadHistory{.kills = static_cast<uint64_t>(query.getColumn(0).getInt64()),
                           .first_time_ns = query.getColumn(1).getInt64()};
  });
}

Status SqliteEventStore::Acknowledge(const std::string& collector_epoch, uint64_t seq,
                                     std::span<const std::string> refused) {
  // Without an fsync: what a power cut takes of it is only sent again.
  return database_->Write(Durability::kRelaxed, [&](SQLite::Database& db) -> Status {
    const auto last = static_cast<uint64_t>(
        QueryInteger(db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'"));
    if (seq > last) {
      return MakeError(ErrorCode::kInvalid, "seq {} was acknowledged, but the last given out is {}",
                       seq, last);
    }
    NoteAcknowledged(db, collector_epoch, static_cast<int64_t>(seq), refused, unreadable_.seqs());
    return {};
  });
}

Status SqliteEventStore::NoteCollectorVersion(const std::string& version) {
  OOMBOX_RETURN_IF_ERROR(FollowClock());
  OOMBOX_TRY(const size_t offered,
             database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<size_t> {
               return oombox::NoteCollectorVersion(db, version, options_.wall_now());
             }));
  if (offered > 0) {
    spdlog::info("events that a collector of another version refused are offered again: {}",
                 offered);
    subscribers_.Notify();
  }
  return {};
}

Result<std::pair<std::string, uint64_t>> SqliteEventStore::Acknowledged() {
  using Answer = std::pair<std::string, uint64_t>;
  return database_->Read([](SQLite::Database& db) -> Result<Answer> {
    SQLite::Statement query(db, "SELECT collector_epoch, acknowledged_seq FROM state");
    query.executeStep();
    return Answer(query.getColumn(0).getString(),
                  static_cast<uint64_t>(query.getColumn(1).getInt64()));
  });
}

Status SqliteEventStore::PutReports(std::span<const StoredReport> reports) {
  OOMBOX_RETURN_IF_ERROR(FollowClock());  // often enough that a restart rarely comes before
  // A report is made again every 10 s: not worth an fsync.
  return database_->Write(Durability::kRelaxed, [&](SQLite::Database& db) -> Status {
    SQLite::Statement insert(db,
                             "INSERT OR REPLACE INTO reports (cluster, node, received_wall_ns,"
                             " report) VALUES (?, ?, ?, ?)");
    for (const StoredReport& stored : reports) {
      const std::string bytes = stored.report.SerializeAsString();
      insert.reset();
      insert.bind(1, stored.report.node().cluster_name());
      insert.bind(2, stored.report.node().node_name());
      insert.bind(3, stored.received_wall_ns);
      BindBlob(insert, 4, bytes);
      insert.exec();
    }
    return {};
  });
}

Result<std::vector<EventStore::StoredReport>> SqliteEventStore::Reports() {
  return database_->Read([](SQLite::Database& db) -> Result<std::vector<StoredReport>> {
    SQLite::Statement query(
        db, "SELECT received_wall_ns, report, cluster, node FROM reports ORDER BY cluster, node");
    std::vector<StoredReport> reports;
    while (query.executeStep()) {
      StoredReport& stored = reports.emplace_back();
      stored.received_wall_ns = query.getColumn(0).getInt64();
      const std::string_view bytes = BytesOf(query.getColumn(1));
      if (!stored.report.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        stored.report.Clear();  // the node stays known; what it said is not
        stored.report.mutable_node()->set_cluster_name(query.getColumn(2).getString());
        stored.report.mutable_node()->set_node_name(query.getColumn(3).getString());
      }
    }
    return reports;
  });
}

Status SqliteEventStore::ForgetReports(int64_t wall_ns) {
  return database_->Write(Durability::kRelaxed, [&](SQLite::Database& db) -> Status {
    SQLite::Statement remove(db, "DELETE FROM reports WHERE received_wall_ns < ?");
    remove.bind(1, wall_ns);
    remove.exec();
    return {};
  });
}

Status SqliteEventStore::EvictWhile(int64_t stored_before_ns, int64_t now_wall_ns,
                                    const std::function<bool(SQLite::Database&)>& more) {
  const Eviction eviction{.limit = kEvictChunk,
                          .stored_before_ns = stored_before_ns,
                          .now_wall_ns = now_wall_ns,
                          .count_unacknowledged = options_.expects_acknowledgement};
  bool go_on = true;
  size_t evicted = 0;
  while (go_on) {
    OOMBOX_TRY(go_on,
               database_->Write(Durability::kFull, [&](SQLite::Database& db) -> Result<bool> {
                 evicted = EvictOldest(db, eviction);
                 return evicted > 0 && more(db);
               }));
    evicted_ += evicted;  // after the commit
  }
  return {};
}

Status SqliteEventStore::Retain(int64_t now_wall_ns) {
  OOMBOX_RETURN_IF_ERROR(FollowClock());
  const int64_t cutoff_ns = now_wall_ns - options_.max_age_seconds * kNsPerSecond;
  OOMBOX_RETURN_IF_ERROR(
      EvictWhile(cutoff_ns, now_wall_ns, [](SQLite::Database&) { return true; }));
  OOMBOX_TRY(const uint64_t used, database_->Read([](SQLite::Database& db) -> Result<uint64_t> {
    return UsedBytes(db);
  }));
  if (used <= options_.max_bytes) {
    return {};
  }
  // A little below the limit, so that the next events do not each evict a few rows.
  const uint64_t low_water = options_.max_bytes - options_.max_bytes / 16;
  return EvictWhile(kAnyAge, now_wall_ns,
                    [&](SQLite::Database& db) { return UsedBytes(db) > low_water; });
}

Result<StoreStats> SqliteEventStore::Stats() {
  return database_->Read([&](SQLite::Database& db) -> Result<StoreStats> {
    SQLite::Statement query(
        db,
        "SELECT (SELECT count(*) FROM events), (SELECT seq FROM sqlite_sequence WHERE name = "
        "'events'),"
        " acknowledged_seq, (SELECT count(*) FROM events WHERE seq > acknowledged_seq),"
        " evicted_unacknowledged, oom_events,"
        " (SELECT count(*) FROM events WHERE refused <> 0), missing_time FROM state");
    query.executeStep();
    const auto column = [&](int i) { return static_cast<uint64_t>(query.getColumn(i).getInt64()); };
    StoreStats stats{.bytes = UsedBytes(db),
                     .events = column(0),
                     .last_seq = column(1),
                     .acknowledged_seq = column(2),
                     .unacknowledged = column(3),
                     .evicted_unacknowledged = column(4),
                     .refused = column(6),
                     .missing_time_ns = query.getColumn(7).getInt64(),
                     .evicted = evicted_.load(),
                     .oom_events_ever = column(5)};
    stats.unreadable = unreadable_.count();
    if (!options_.expects_acknowledgement) {
      stats.unacknowledged = 0;
    }
    return stats;
  });
}

Result<SeqBounds> SqliteEventStore::Bounds() {
  return database_->Read([](SQLite::Database& db) -> Result<SeqBounds> {
    SQLite::Statement query(
        db,
        "SELECT evicted_seq, (SELECT seq FROM sqlite_sequence WHERE name = 'events'), evicted_time"
        " FROM state");
    query.executeStep();
    return SeqBounds{.evicted = static_cast<uint64_t>(query.getColumn(0).getInt64()),
                     .last = static_cast<uint64_t>(query.getColumn(1).getInt64()),
                     .evicted_time_ns = query.getColumn(2).getInt64()};
  });
}

}  // namespace

Status CheckStorable(const v1::Event& event) {
  const std::string& id = event.event_id();
  if (id.size() != kIdLength || !IsIdText(id)) {
    return MakeError(ErrorCode::kInvalid,
                     "event id '{}' is not {} characters of [0-9a-hjkmnp-tv-z]",
                     EscapeUntrusted(id.substr(0, kIdLength)), kIdLength);
  }
  if (event.revision() == 0) {
    return MakeError(ErrorCode::kInvalid, "event {} has no revision", id);
  }
  if (const size_t size = event.ByteSizeLong(); size > kMaxEventBytes) {
    return MakeError(ErrorCode::kInvalid, "event {} has {} bytes; at most {} can be stored", id,
                     size, kMaxEventBytes);
  }
  return {};
}

Result<std::unique_ptr<EventStore>> EventStore::Open(Options options) {
  OOMBOX_TRY(auto database,
             Database::Open({.path = options.path,
                             .what = "event store",
                             .application_id = kApplicationId,
                             .schema = {MakeEventSchema, AddListIndexes, CountOomEvents,
                                        AddContainerColumns, NoteWhatIsMissing},
                             .max_readers = options.max_readers}));
  std::string epoch;
  OOMBOX_TRY(const int64_t last_seq, database->Read([&](SQLite::Database& db) -> Result<int64_t> {
    SQLite::Statement query(db, "SELECT epoch FROM state");
    query.executeStep();
    epoch = query.getColumn(0).getString();
    return QueryInteger(db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  }));
  return std::unique_ptr<EventStore>(std::make_unique<SqliteEventStore>(
      std::move(database), std::move(epoch), last_seq, std::move(options)));
}

}  // namespace oombox
