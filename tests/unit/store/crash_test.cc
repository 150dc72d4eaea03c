#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/store/event_store.h"
#include "agent/store/journal.h"
#include "tests/unit/store/crash_points.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

constexpr int kBatches = 2;
constexpr size_t kBatchSize = 3;
constexpr int kMaxCrashPoints = 2000;  // far above what the children need

void Report(int fd) { EXPECT_EQ(::write(fd, "+", 1), 1); }

std::string Record(size_t number) {
  return fmt::format("record {} {}", number, std::string(5000, 'x'));
}

// One batch after another, each reported when Append has returned.
void AppendBatches(const std::string& path, int report_fd) {
  auto journal = Journal::Open({.path = path});
  if (!journal.has_value()) {
    return;
  }
  const auto session = (*journal)->BeginSession({.boot_id = "boot"});
  for (size_t batch = 0; session.has_value() && batch < kBatches; ++batch) {
    std::vector<std::string> bytes;
    for (size_t i = 0; i < kBatchSize; ++i) {
      bytes.push_back(Record(batch * kBatchSize + i));
    }
    const std::vector<std::string_view> views(bytes.begin(), bytes.end());
    if ((*journal)->Append(session->id, views).has_value()) {
      Report(report_fd);
    }
  }
}

void CheckJournal(const std::string& path, size_t reported) {
  auto journal = Journal::Open({.path = path}).value();
  ASSERT_EQ(journal->moved_aside(), "");
  const auto entries = journal->ReadAfter(0, 1000).value();

  // Nothing half, nothing lost that was reported, nothing but the one batch under way beyond it.
  ASSERT_EQ(entries.size() % kBatchSize, 0u);
  ASSERT_GE(entries.size() / kBatchSize, reported);
  ASSERT_LE(entries.size() / kBatchSize, reported + 1);
  for (size_t i = 0; i < entries.size(); ++i) {
    ASSERT_EQ(entries[i].bytes, Record(i));
  }
  const int64_t session = journal->BeginSession({.boot_id = "boot"}).value().id;
  const std::vector<std::string_view> more = {"more"};
  ASSERT_TRUE(journal->Append(session, more).has_value());
}

TEST(CrashTest, TheJournalKeepsWhatAppendReturnedForWhereverItIsKilled) {
  bool killed = true;
  int crash_at = 1;
  for (; killed && crash_at < kMaxCrashPoints; ++crash_at) {
    SCOPED_TRACE(crash_at);
    TempDir dir;
    const std::string path = dir.File("journal.db");
    const CrashRun run =
        RunUntilCrash(crash_at, [&](int report_fd) { AppendBatches(path, report_fd); });
    killed = run.killed;
    ASSERT_NO_FATAL_FAILURE(CheckJournal(path, run.reported.size()));
    ASSERT_TRUE(killed || run.reported.size() == kBatches);
  }
  EXPECT_GT(crash_at, 20) << "the crash points do not reach the writes";
}

// Each Put stores two new events, a higher revision of an old one, and the cursor.
void PutBatches(const std::string& path, int report_fd) {
  auto store = EventStore::Open({.path = path});
  for (uint64_t batch = 1; store.has_value() && batch <= kBatches; ++batch) {
    const std::vector<v1::Event> events = {TestOom(2 * batch), TestOom(2 * batch + 1),
                                           TestOom(0, static_cast<uint32_t>(batch))};
    if ((*store)->Put(events, static_cast<int64_t>(batch)).has_value()) {
      Report(report_fd);
    }
  }
}

void CheckStore(const std::string& path, size_t reported) {
  auto store = EventStore::Open({.path = path}).value();
  ASSERT_EQ(store->moved_aside(), "");
  const auto batches = static_cast<size_t>(store->JournalCursor().value());
  const auto events = store->ReadAfter(0, 1000).value();

  ASSERT_GE(batches, reported);
  ASSERT_LE(batches, reported + 1);
  ASSERT_EQ(events.size(), batches == 0 ? 0 : 2 * batches + 1);
  ASSERT_EQ(store->List({.limit = 1000}).value().size(), events.size());
  if (batches > 0) {
    ASSERT_EQ(store->Get(TestId(0)).value().event.revision(), batches);
  }
  ASSERT_EQ(store->Put(std::vector{TestOom(99)}, std::nullopt).value(), 1u);
}

TEST(CrashTest, TheStoreKeepsEventsAndCursorTogetherWhereverItIsKilled) {
  bool killed = true;
  int crash_at = 1;
  for (; killed && crash_at < kMaxCrashPoints; ++crash_at) {
    SCOPED_TRACE(crash_at);
    TempDir dir;
    const std::string path = dir.File("events.db");
    const CrashRun run =
        RunUntilCrash(crash_at, [&](int report_fd) { PutBatches(path, report_fd); });
    killed = run.killed;
    ASSERT_NO_FATAL_FAILURE(CheckStore(path, run.reported.size()));
    ASSERT_TRUE(killed || run.reported.size() == kBatches);
  }
  EXPECT_GT(crash_at, 20) << "the crash points do not reach the writes";
}

}  // namespace
}  // namespace oombox
