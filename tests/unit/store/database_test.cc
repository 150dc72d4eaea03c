#include "agent/store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "agent/store/event_store.h"
#include "agent/store/journal.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class DatabaseTest : public testing::Test {
 protected:
  Result<std::unique_ptr<EventStore>> Open() {
    return EventStore::Open({.path = dir_.File("events.db")});
  }

  void Overwrite(const std::string& path, std::streamoff at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  }

  TempDir dir_;
};

TEST_F(DatabaseTest, MovesAFileThatIsNoDatabaseAside) {
  std::ofstream(dir_.File("events.db")) << std::string(8192, 'x');

  auto store = Open();

  ASSERT_TRUE(store.has_value()) << store.error().message;
  const std::string aside = (*store)->moved_aside();
  EXPECT_THAT(aside, StartsWith(dir_.File("events.db.corrupt-2")));
  EXPECT_TRUE(std::filesystem::exists(aside));
  EXPECT_THAT((*store)->List({}).value(), SizeIs(0));
}

TEST_F(DatabaseTest, MovesADamagedDatabaseAsideAndBeginsANewEpoch) {
  std::string epoch;
  {
    auto store = Open().value();
    epoch = store->epoch();
    for (uint64_t i = 0; i < 200; ++i) {
      ASSERT_TRUE(store->Put(std::vector{TestOom(i)}, std::nullopt).has_value());
    }
  }
  const auto size = std::filesystem::file_size(dir_.File("events.db"));
  Overwrite(dir_.File("events.db"), 4096, std::string(size - 8192, '\xa5'));

  auto store = Open();

  ASSERT_TRUE(store.has_value()) << store.error().message;
  EXPECT_NE((*store)->moved_aside(), "");
  EXPECT_NE((*store)->epoch(), epoch);
}

TEST_F(DatabaseTest, KeepsEveryDamagedFileOfTheSameSecond) {
  for (int i = 0; i < 3; ++i) {
    std::ofstream(dir_.File("events.db"), std::ios::trunc) << std::string(8192, 'x');
    ASSERT_TRUE(Open().has_value());
  }

  int aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    const std::string name = entry.path().filename().string();
    aside += name.find(".corrupt-") != std::string::npos && !name.ends_with("-wal") &&
             !name.ends_with("-shm");
  }
  EXPECT_EQ(aside, 3);
}

TEST_F(DatabaseTest, SaysInEveryLifeWhatWasMovedAsideUntilThatIsTold) {
  std::ofstream(dir_.File("events.db")) << std::string(8192, 'x');
  const std::string aside = Open().value()->moved_aside();

  auto store = Open().value();
  EXPECT_EQ(store->moved_aside(), aside);
  ASSERT_TRUE(store->NoteMovedAsideTold().has_value());
  EXPECT_EQ(store->moved_aside(), aside);  // of this life it stays true
  store.reset();

  EXPECT_EQ(Open().value()->moved_aside(), "");
}

TEST_F(DatabaseTest, EndsAMoveAsideThatWasKilledHalfWay) {
  std::ofstream(dir_.File("events.db.corrupt-1")) << std::string(8192, 'x');
  std::ofstream(dir_.File("events.db-wal")) << "of the damaged file";
  std::ofstream(dir_.File("events.db.damaged")).flush();
  std::ofstream(dir_.File("events.db.moving")) << dir_.File("events.db.corrupt-1") << "\n";

  const auto store = Open();

  ASSERT_TRUE(store.has_value()) << store.error().message;
  EXPECT_EQ((*store)->moved_aside(), dir_.File("events.db.corrupt-1"));
  EXPECT_EQ(std::filesystem::file_size(dir_.File("events.db.corrupt-1-wal")), 19U);
  EXPECT_FALSE(std::filesystem::exists(dir_.File("events.db.damaged")));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("events.db.moving")));
}

TEST_F(DatabaseTest, RefusesANewerSchemaAndLeavesItAlone) {
  Open().value().reset();
  SQLite::Database(dir_.File("events.db"), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");

  const auto store = Open();

  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(store.error().message, HasSubstr("schema version 99"));
  EXPECT_THAT(store.error().message, HasSubstr("knows up to "));
  EXPECT_TRUE(std::filesystem::exists(dir_.File("events.db")));
}

TEST_F(DatabaseTest, RefusesAFileOfAnotherKind) {
  { const auto journal = Journal::Open({.path = dir_.File("events.db")}).value(); }

  const auto store = Open();

  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(store.error().message, HasSubstr("is no oombox event store"));
}

TEST_F(DatabaseTest, SaysWhatIsWrongWithAPathThatCannotBeWritten) {
  std::ofstream(dir_.File("file")) << "not a directory";

  const auto store = EventStore::Open({.path = dir_.File("file/events.db")});

  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kPermission);
  EXPECT_THAT(store.error().message, HasSubstr("Not a directory"));
  EXPECT_THAT(store.error().message, HasSubstr("must exist and be writable"));
}

TEST_F(DatabaseTest, FilesAreForTheOwnerOnly) {
  const auto store = Open().value();
  ASSERT_TRUE(store->Put(std::vector{TestOom(1)}, std::nullopt).has_value());

  for (const char* name : {"events.db", "events.db-wal", "events.db-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat(dir_.File(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777u, 0600u) << name;
  }
}

TEST_F(DatabaseTest, CommitsAreFullySynchronousAlsoAfterARelaxedOne) {
  const auto database = Database::Open({.path = dir_.File("x.db"),
                                        .what = "test",
                                        .application_id = 1,
                                        .schema = {[](SQLite::Database&) {}}})
                            .value();
  const auto synchronous = [](SQLite::Database& db) -> Result<int64_t> {
    return QueryInteger(db, "PRAGMA synchronous");
  };
  constexpr int64_t kNormal = 1;
  constexpr int64_t kFull = 2;

  EXPECT_EQ(database->Write(Durability::kRelaxed, synchronous).value(), kNormal);
  EXPECT_EQ(database->Write(Durability::kFull, synchronous).value(), kFull);
}

TEST_F(DatabaseTest, ALongReadHoldsUpNoOther) {
  const auto database =
      Database::Open(
          {.path = dir_.File("x.db"),
           .what = "x",
           .schema = {[](SQLite::Database& db) { db.exec("CREATE TABLE t (n INTEGER)"); }},
           .max_readers = 2})
          .value();
  std::latch reading(1);
  std::latch answered(1);
  std::jthread slow([&] {
    EXPECT_TRUE(database
                    ->Read([&](SQLite::Database&) -> Status {
                      reading.count_down();
                      answered.wait();
                      return {};
                    })
                    .has_value());
  });
  reading.wait();

  const auto answer = database->Read([](SQLite::Database& db) -> Result<int64_t> {
    return QueryInteger(db, "SELECT count(*) FROM t");
  });

  answered.count_down();
  EXPECT_EQ(answer.value(), 0);
}

TEST_F(DatabaseTest, MigratesStepByStepOrNotAtAll) {
  const auto make = [](SQLite::Database& db) { db.exec("CREATE TABLE t (n INTEGER)"); };
  const auto add = [](SQLite::Database& db) { db.exec("ALTER TABLE t ADD COLUMN m INTEGER"); };
  const auto fail = [](SQLite::Database& db) { db.exec("this is no SQL"); };
  DatabaseSpec spec{.path = dir_.File("x.db"), .what = "x", .application_id = 7, .schema = {make}};
  ASSERT_TRUE(Database::Open(spec).has_value());

  spec.schema = {make, add, fail};
  EXPECT_FALSE(Database::Open(spec).has_value());
  spec.schema = {make, add};
  const auto migrated = Database::Open(spec);

  ASSERT_TRUE(migrated.has_value()) << migrated.error().message;
  const auto columns = (*migrated)->Read([](SQLite::Database& db) -> Result<int64_t> {
    return QueryInteger(db, "SELECT count(*) FROM pragma_table_info('t')");
  });
  EXPECT_EQ(columns.value(), 2);
}

}  // namespace
}  // namespace oombox
