// Files of earlier versions: stores open and migrate, saved events are shown.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/store/event_store.h"
#include "tests/compat/old_wire.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tests/unit/store/fixture.h"
#include "tools/oombox/file_source.h"

namespace oombox {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OldFilesTest : public testing::TestWithParam<const char*> {
 protected:
  OldFilesTest() { std::filesystem::copy_file(CompatFile(GetParam(), "events.db"), path_); }

  Result<std::unique_ptr<EventStore>> OpenStore() { return EventStore::Open({.path = path_}); }
  static int SchemaVersion(const std::string& path) {
    SQLite::Database database(path);
    return database.execAndGet("PRAGMA user_version").getInt();
  }
  static std::unique_ptr<EventSource> Saved() {
    return FileSource::Open(CompatFile(GetParam(), "events.jsonl")).value();
  }

  TempDir dir_;
  const std::string path_ = dir_.File("events.db");
};

TEST_P(OldFilesTest, AStoreMigratesWithAllItsEvents) {
  std::string epoch;
  {
    const auto store = OpenStore();

    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_EQ((*store)->moved_aside(), "");
    EXPECT_EQ((*store)->Stats()->events, 5u);
    EXPECT_EQ((*store)->Stats()->unreadable, 0u);
    EXPECT_EQ((*store)->Bounds()->last, (*store)->ReadAfter(0, 100)->back().seq);
    EXPECT_EQ((*store)->Bounds()->evicted, 0u);
    EXPECT_EQ((*store)->List({})->size(), 5u);
    EXPECT_EQ((*store)->Get("latest")->event.oom().victims(0).comm(), "python3");
    ASSERT_TRUE((*store)->Put(std::vector{TestOom(1)}, std::nullopt).has_value());
    epoch = (*store)->epoch();
  }
  const std::string fresh = dir_.File("fresh.db");
  ASSERT_TRUE(EventStore::Open({.path = fresh}).has_value());
  EXPECT_EQ(SchemaVersion(path_), SchemaVersion(fresh));
  EXPECT_EQ(OpenStore().value()->epoch(), epoch);
}

TEST_P(OldFilesTest, SavedEventsAreListed) {
  const VerbResult result = RunVerb(
      Saved(), {.width = 0}, [](const VerbContext& context) { return RunList({}, context); });

  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.out, AllOf(HasSubstr("/workers/ocr/worker-1"), HasSubstr("convert[149]"),
                                HasSubstr("RECORDING")));
}

TEST_P(OldFilesTest, SavedEventsAreExplained) {
  const VerbResult result = RunVerb(Saved(), {.width = 0}, [](const VerbContext& context) {
    return RunExplain("latest", context);
  });

  EXPECT_EQ(result.exit_code, kExitOk) << result.error;
  EXPECT_THAT(result.out, AllOf(HasSubstr("OOM 6hksaj"), HasSubstr("/workers/ocr/worker-1")));
}

INSTANTIATE_TEST_SUITE_P(Versions, OldFilesTest, testing::Values("v0.1", "v0.2"));

TEST(NewerFileTest, AStoreOfANewerProgramIsRefusedAndLeftAlone) {
  TempDir dir;
  const std::string path = dir.File("events.db");
  ASSERT_TRUE(EventStore::Open({.path = path}).has_value());
  {
    SQLite::Database database(path, SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 99");
  }

  const auto store = EventStore::Open({.path = path});

  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(store.error().message,
              AllOf(HasSubstr("schema version 99"), HasSubstr("run the newer program")));
  EXPECT_EQ(SQLite::Database(path).execAndGet("PRAGMA user_version").getInt(), 99);
}

}  // namespace
}  // namespace oombox
