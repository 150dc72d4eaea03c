#include "agent/event/event_stage.h"

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "agent/capture/decode.h"
#include "agent/event/undecodable.h"
#include "tests/fakes/fake_event_store.h"
#include "tests/support/decoded.h"
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

// One of the victims of the kill of `episode_tgid`.
std::string VictimNow(uint32_t tgid, uint32_t episode_tgid) {
  KillBytes bytes;
  bytes.record().header.boottime_ns = BootNowNs();
  bytes.record().victim.tgid = tgid;
  bytes.record().episode_tgid = episode_tgid;
  return bytes.bytes();
}

// What the kernel log would say of the kill of KillOf.
LoggedKill LoggedOf(uint32_t tgid) {
  const auto record = testing::DecodeKill(KillOf(tgid));
  return {.boottime_ns = record->boottime_ns,
          .log_time_us = record->boottime_ns / 1000,
          .tgid = tgid,
          .comm = record->victim.comm,
          .cgroup_limit = true};
}

// A store that cannot say what is there until it is told to.
class Hesitant final : public FakeEventStore {
 public:
  Hesitant() : FakeEventStore("epoch") {}
  void Recover() { works_ = true; }

  Result<StoredEvent> Get(std::string_view /*reference*/) override {
    return works_ ? MakeError(ErrorCode::kNotFound, "nothing")
                  : MakeError(ErrorCode::kUnavailable, "the disk is away");
  }
  Result<std::vector<StoredEvent>> List(const ListQuery& /*query*/) override {
    return std::vector<StoredEvent>();
  }

 private:
  std::atomic<bool> works_{false};
};

// A store whose disk is full.
class Full final : public FakeEventStore {
 public:
  Full() : FakeEventStore("epoch") {}
  Result<size_t> Put(std::span<const v1::Event> events, std::optional<int64_t> cursor) override {
    if (events.empty()) {
      return FakeEventStore::Put(events, cursor);
    }
    ++refused;
    return MakeError(ErrorCode::kExhausted, "the disk is full");
  }
  Result<std::vector<StoredEvent>> List(const ListQuery& /*query*/) override {
    return std::vector<StoredEvent>();
  }
  std::atomic<uint64_t> refused{0};
};

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
    EventStage stage({.cluster_name = "c", .node_name = "n", .decode = DecodeRecord}, *journal_,
                     *store_);
    EXPECT_TRUE(stage.Flush());
    return stage.counters();
  }

  std::vector<StoredEvent> Stored() { return *store_->List({.limit = 100}); }

  std::vector<StoredEvent> Select(const std::string& filter) {
    return *store_->List({.filter = *Filter::Parse(filter), .view = v1::EVENT_VIEW_FULL});
  }
  size_t Count(const std::string& filter) { return Select(filter).size(); }
  v1::Event Found(const std::string& filter) {
    const auto found = Select(filter);
    EXPECT_EQ(found.size(), 1U) << filter;
    return found.empty() ? v1::Event() : found[0].event;
  }

  // The kill of KillOf(1) stands there once, and the reconstructed one points to it.
  void ExpectSuperseded() {
    const v1::Event real = Found("kind = oom");
    EXPECT_EQ(real.oom().quality().provenance(), v1::PROVENANCE_AT_KILL);
    EXPECT_EQ(Stored().size(), 2U);  // with the gap
    const v1::Event old = Found("kind = superseded");
    EXPECT_EQ(old.oom().superseded_by(), real.event_id());
    EXPECT_EQ(old.revision(), 2U);
    EXPECT_TRUE(store_->Get(old.event_id()).has_value());
    EXPECT_EQ(store_->Get("latest")->event.event_id(), real.event_id());
  }

  TempDir dir_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EventStore> store_;
  JournalSession session_;
};

TEST_F(EventStageTest, MakesAnEventOfEachRecord) {
  Append({KillOf(1), KillOf(2), KillOf(3)});

  const auto counters = Run();

  EXPECT_EQ(counters.events, 3U);
  EXPECT_EQ(Stored().size(), 3U);
  EXPECT_EQ(Stored()[0].event.node().boot_id(), "boot");
}

TEST_F(EventStageTest, TellsOfEachKillOnceAsNewAndOfWhatWasStored) {
  Append({KillOf(1), KillOf(2), KillOf(1)});
  std::vector<std::string> begun;
  std::map<std::string, uint32_t> stored;
  {
    EventStage stage({.node_name = "n",
                      .decode = DecodeRecord,
                      .on_kill =
                          [&](const v1::Event& kill, bool is_new) {
                            if (is_new) {
                              begun.push_back(kill.event_id());
                            } else {
                              stored[kill.event_id()] = kill.revision();
                            }
                          }},
                     *journal_, *store_);
    EXPECT_TRUE(stage.Flush());
  }
  EXPECT_EQ(begun.size(), 2U);
  ASSERT_EQ(stored.size(), 2U);
  for (const std::string& id : begun) {
    EXPECT_GE(stored[id], 1U);
  }
}

TEST_F(EventStageTest, TimesAKillThatHasALaterRevisionWhenItIsFirstStored) {
  EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
  Append({VictimNow(1, 1), VictimNow(2, 1)});
  stage.Notify();

  ASSERT_TRUE(stage.Flush());
  EXPECT_GT(Found("kind = oom").revision(), 1U);
  EXPECT_EQ(stage.latency().Snapshot().count, 1U);
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

TEST_F(EventStageTest, TellsAKillWhoseEventNoStoreTakesAsAGapAndRemembersIt) {
  Append({KillOf(1), KillOf(2)});
  const auto too_much_to_say = [](std::string_view bytes) -> Result<RingRecord> {
    auto record = DecodeRecord(bytes);
    auto& kill = std::get<KillRecord>(*record);
    if (kill.victim.tgid == 1) {
      kill.victim.exe = std::string(kMaxEventBytes, 'x');
    }
    return record;
  };
  {
    EventStage stage(
        {.cluster_name = "c", .node_name = "n", .boot_id = "boot", .decode = too_much_to_say},
        *journal_, *store_);
    EXPECT_TRUE(stage.Flush());
    EXPECT_EQ(stage.counters().undecodable, 1U);
  }

  EXPECT_EQ(Count("kind = oom"), 1U);
  const v1::Event gap = Found("kind = gap");
  EXPECT_EQ(gap.gap().cause(), v1::GapEvent::CAUSE_UNDECODABLE);
  EXPECT_EQ(gap.gap().count(), 1U);
  EXPECT_EQ(CountUndecodable(*store_, "boot"), 1U);
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
  EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);

  stage.ReportGap({.cause = v1::GapEvent::CAUSE_RING_FULL, .count = 7, .key = "1"}, session_);
  while (Stored().empty()) {
    std::this_thread::yield();
  }

  EXPECT_EQ(Stored()[0].event.gap().cause(), v1::GapEvent::CAUSE_RING_FULL);
}

TEST_F(EventStageTest, StoresMissedKillsOfTheKernelLogWithTheirGap) {
  Append({KillOf(1)});
  {
    EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
    // Both stand in the log; the first was captured, though perhaps not stored yet.
    stage.ReportGap({.cause = v1::GapEvent::CAUSE_UNEXPLAINED,
                     .count = 1,
                     .key = "1",
                     .cgroups = {{"/a\n", 1}}},
                    session_, {LoggedOf(1), LoggedOf(2)});
  }

  EXPECT_EQ(Count("kind = oom"), 2U);
  const v1::Event gap = Found("kind = gap");
  EXPECT_EQ(gap.gap().reconstructed(), 1U);
  ASSERT_EQ(gap.gap().cgroups_size(), 1);
  EXPECT_EQ(gap.gap().cgroups(0).cgroup_path(), "/a\\x0a");
  const v1::Event kill = Found("tgid = 2");
  EXPECT_EQ(kill.oom().quality().provenance(), v1::PROVENANCE_RECONSTRUCTED);
}

TEST_F(EventStageTest, LooksForMissedKillsWhenTheWholeJournalIsStored) {
  std::vector<std::string> records;
  for (uint32_t tgid = 1; tgid <= 300; ++tgid) {  // more than one batch
    records.push_back(KillOf(tgid));
  }
  Append(records);
  {
    EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
    stage.ReportGap({.cause = v1::GapEvent::CAUSE_UNEXPLAINED, .count = 1, .key = "1"}, session_,
                    {LoggedOf(300)});
  }

  EXPECT_EQ(Found("kind = gap").gap().reconstructed(), 0U);
  EXPECT_EQ(Count("kind = superseded"), 0U);
}

TEST_F(EventStageTest, StoresAMissedKillOnceWhenTwoGapsTellIt) {
  {
    EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
    for (const char* key : {"1", "2"}) {
      stage.ReportGap({.cause = v1::GapEvent::CAUSE_UNEXPLAINED, .count = 1, .key = key}, session_,
                      {LoggedOf(2)});
    }
  }

  EXPECT_EQ(Count("kind = oom"), 1U);
  EXPECT_EQ(Count("kind = gap"), 2U);
}

TEST_F(EventStageTest, SupersedesAReconstructedKillWhenTheRealOneTurnsUp) {
  std::atomic<int> begun = 0;
  EventStage stage({.node_name = "n",
                    .decode = DecodeRecord,
                    .on_kill = [&](const v1::Event&, bool is_new) { begun += is_new ? 1 : 0; }},
                   *journal_, *store_);
  stage.ReportGap({.cause = v1::GapEvent::CAUSE_UNEXPLAINED, .count = 1, .key = "1"}, session_,
                  {LoggedOf(1)});
  while (Count("kind = oom") == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(begun, 1) << "counted, although nobody saw it";
  Append({KillOf(1)});
  EXPECT_TRUE(stage.Flush());

  ExpectSuperseded();
  EXPECT_EQ(begun, 1) << "it is the same kill";
}

TEST_F(EventStageTest, SupersedesWhatAnEarlierRunReconstructed) {
  {
    EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
    stage.ReportGap({.cause = v1::GapEvent::CAUSE_UNEXPLAINED, .count = 1, .key = "1"}, session_,
                    {LoggedOf(1)});
  }
  Append({KillOf(1)});
  EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
  EXPECT_TRUE(stage.Flush());

  ExpectSuperseded();
}

TEST_F(EventStageTest, LeavesAReconstructedKillAloneThatIsAnother) {
  LoggedKill early = LoggedOf(1);
  early.boottime_ns += 60'000'000'000;
  {
    EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
    stage.ReportGap({.cause = v1::GapEvent::CAUSE_UNEXPLAINED, .count = 1, .key = "1"}, session_,
                    {early});
  }
  Append({KillOf(1)});
  Run();

  EXPECT_EQ(Count("kind = oom"), 2U);
  EXPECT_EQ(Count("kind = superseded"), 0U);
}

TEST_F(EventStageTest, CountsChangesOfPressureThatAFullDiskKeepsItFromStoring) {
  Full full;
  EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, full);
  for (uint64_t round = 1; round <= 3; ++round) {
    for (size_t i = 0; i < ReportedPressures::kMax - 1; ++i) {
      stage.ReportPressure({.now = {.cgroup = {.id = round << 32 | i, .path = "/a"}}}, session_);
    }
    if (round == 1) {
      EXPECT_EQ(stage.counters().pressures_lost, 0U) << "there is room for so many";
    }
    // What the first try found waits with it; the others have no room but the queue's.
    for (const uint64_t before = full.refused; full.refused == before;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  EXPECT_GT(stage.counters().pressures_lost, ReportedPressures::kMax / 2);
}

TEST_F(EventStageTest, WaitsForAStoreThatCannotSayWhatIsThere) {
  Append({KillOf(1)});
  Hesitant hesitant;
  EventStage stage({.node_name = "n", .decode = DecodeRecord}, *journal_, hesitant);
  EXPECT_FALSE(stage.Flush());
  EXPECT_EQ(stage.counters().events, 0U);

  hesitant.Recover();
  while (hesitant.Revisions().empty()) {
    std::this_thread::yield();
  }

  EXPECT_EQ(stage.counters().events, 1U);
}

}  // namespace
}  // namespace oombox
