#include "agent/event/event_stage.h"

#include <gtest/gtest.h>

#include "agent/capture/decode.h"
#include "tests/support/kill_bytes.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::KillBytes;

std::string KillOf(uint32_t tgid) {
  KillBytes bytes;
  bytes.record().victim.tgid = tgid;
  bytes.record().episode_tgid = tgid;
  return bytes.bytes();
}

class EventStageTest : public ::testing::Test {
 protected:
  EventStageTest() { Open(); }

  void Open() {
    journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));
    store_ = std::move(*EventStore::Open({.path = dir_.File("events.db")}));
    session_ = *journal_->BeginSession({.boot_id = "boot", .kernel_release = "6.1"});
  }

  void Append(const std::vector<std::string>& records) {
    const std::vector<std::string_view> views(records.begin(), records.end());
    ASSERT_TRUE(journal_->Append(session_.id, views).has_value());
  }

  // Runs a stage over what is in the journal and stops it.
  EventStage::Counters Run() {
    EventStage stage({.cluster_name = "c", .node_name = "n", .decode = DecodeKill}, *journal_,
                     *store_);
    EXPECT_TRUE(stage.Flush());
    return stage.counters();
  }

  std::vector<StoredEvent> Stored() { return *store_->List({.limit = 100}); }

  TempDir dir_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EventStore> store_;
  JournalSession session_;
};

TEST_F(EventStageTest, MakesAnEventOfEachRecord) {
  Append({KillOf(1), KillOf(2), KillOf(3)});

  const auto counters = Run();

  EXPECT_EQ(counters.events, 3U);
  EXPECT_EQ(counters.journal_pending, 0U);
  EXPECT_EQ(Stored().size(), 3U);
  EXPECT_EQ(Stored()[0].event.node().boot_id(), "boot");
}

TEST_F(EventStageTest, GoesOnAfterARestartWhereItWas) {
  Append({KillOf(1)});
  Run();
  Append({KillOf(2)});

  const auto counters = Run();

  EXPECT_EQ(counters.events, 1U);
  EXPECT_EQ(Stored().size(), 2U);
}

TEST_F(EventStageTest, MakesTheSameEventOfARecordThatIsReadTwice) {
  Append({KillOf(1), KillOf(1)});

  Run();

  ASSERT_EQ(Stored().size(), 1U);
  EXPECT_EQ(Stored()[0].event.revision(), 1U);
}

TEST_F(EventStageTest, TellsARecordItCannotDecodeAsAGapAndGoesOn) {
  Append({KillOf(1), "garbage", KillOf(2)});

  const auto counters = Run();

  EXPECT_EQ(counters.undecodable, 1U);
  size_t gaps = 0;
  for (const StoredEvent& stored : Stored()) {
    gaps += stored.event.has_gap() ? 1 : 0;
  }
  EXPECT_EQ(gaps, 1U);
  EXPECT_EQ(Stored().size(), 3U);
}

TEST_F(EventStageTest, ReadsANewJournalFromItsStartWhenTheOldOneIsGone) {
  Append({KillOf(1), KillOf(2), KillOf(3)});
  Run();
  journal_.reset();
  store_.reset();
  for (const char* name : {"journal.db", "journal.db-wal", "journal.db-shm"}) {
    std::filesystem::remove(dir_.File(name));
  }
  Open();

  Run();
  Append({KillOf(4)});
  Run();

  EXPECT_EQ(Stored().size(), 4U);
}

TEST_F(EventStageTest, StoresAReportedGap) {
  EventStage stage({.node_name = "n", .decode = DecodeKill}, *journal_, *store_);

  stage.ReportGap({.cause = v1::GapEvent::CAUSE_RING_FULL, .count = 7, .key = "1"}, session_);
  while (Stored().empty()) {
    std::this_thread::yield();
  }

  EXPECT_EQ(Stored()[0].event.gap().cause(), v1::GapEvent::CAUSE_RING_FULL);
}

}  // namespace
}  // namespace oombox
