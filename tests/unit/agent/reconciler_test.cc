#include "agent/reconciler.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/capture/decode.h"
#include "agent/last_seen.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

// Programs whose counters the test sets.
class FakeProbe final : public KillProbe {
 public:
  FakeProbe() {
    attachment_.base_state = OOMBOX_BASE_READ;
    attachment_.attach_boottime_ns = 77;
  }
  void Detach() override {}
  int ring_fd() const override { return -1; }
  uint64_t ring_bytes() const override { return 0; }
  oombox_kill_counters Counters() const override { return counters; }
  const AttachInfo& info() const override { return info_; }
  const std::vector<MissingFeature>& missing() const override { return missing_; }
  oombox_attachment& attachment() const override { return attachment_; }
  const std::vector<LeftoverRing>& leftovers() const override { return leftovers_; }
  Status RemoveLeftover(const LeftoverRing& /*ring*/) const override { return {}; }
  std::optional<uint64_t> RecursionMisses() const override { return misses; }

  oombox_kill_counters counters{};
  uint64_t misses = 0;

 private:
  mutable oombox_attachment attachment_{};
  AttachInfo info_;
  std::vector<MissingFeature> missing_;
  std::vector<LeftoverRing> leftovers_;
};

class ReconcilerTest : public ::testing::Test {
 protected:
  ReconcilerTest() {
    journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));
    store_ = std::move(*EventStore::Open({.path = dir_.File("events.db")}));
    session_ = *journal_->BeginSession({.boot_id = "boot", .kernel_release = "6.1"});
    events_ = std::make_unique<EventStage>(
        EventStage::Options{.node_name = "n", .decode = DecodeRecord}, *journal_, *store_);
    EXPECT_TRUE(events_->Flush());
    Restart();
  }

  // A new agent on the same attachment.
  void Restart() {
    evidence_ = std::make_unique<GapEvidence>(
        GapEvidence::Sources{.boot_id = "boot", .cgroup_kills_path = dir_.File("cgroup-kills")});
    reconciler_ =
        std::make_unique<Reconciler>(Reconciler::Sources{.session = session_,
                                                         .probe = &probe_,
                                                         .events = events_.get(),
                                                         .journal = journal_.get(),
                                                         .evidence = evidence_.get(),
                                                         .kernel_kills =
                                                             [this] {
                                                               at_kernel_read_();
                                                               return kernel_;
                                                             },
                                                         .last_seen_path = dir_.File("last-seen")});
    reconciler_->Watch([this] { return pending_; });
  }

  void LookTwice() {
    reconciler_->Look();
    reconciler_->Look();
  }

  std::vector<v1::GapEvent> Gaps() {
    EXPECT_TRUE(events_->Flush());
    std::vector<v1::GapEvent> gaps;
    const auto listed = store_->List({.view = v1::EVENT_VIEW_FULL});
    for (const StoredEvent& stored : *listed) {
      gaps.push_back(stored.event.gap());
    }
    return gaps;
  }

  std::optional<LastSeen> Agreed() { return *ReadLastSeen(dir_.File("last-seen")); }

  TempDir dir_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EventStore> store_;
  JournalSession session_;
  FakeProbe probe_;
  std::optional<uint64_t> kernel_ = 0;
  uint64_t pending_ = 0;
  std::function<void()> at_kernel_read_ = [] {};
  std::unique_ptr<EventStage> events_;
  std::unique_ptr<GapEvidence> evidence_;
  std::unique_ptr<Reconciler> reconciler_;
};

TEST_F(ReconcilerTest, TellsDroppedKillsOnceAlsoAcrossARestart) {
  kernel_ = 5;
  probe_.counters.kills = 5;
  probe_.counters.submitted = 3;
  probe_.counters.dropped_ring_full = 2;

  LookTwice();
  Restart();
  LookTwice();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].cause(), v1::GapEvent::CAUSE_RING_FULL);
  EXPECT_EQ(gaps[0].count(), 2U);
}

TEST_F(ReconcilerTest, TellsOnlyWhatIsNewOfAGrowingLoss) {
  probe_.counters.kills = 2;
  probe_.counters.dropped_ring_full = 2;
  reconciler_->Look();
  probe_.counters.kills = 5;
  probe_.counters.dropped_ring_full = 5;
  reconciler_->Look();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].count() + gaps[1].count(), 5U);
}

TEST_F(ReconcilerTest, NamesTheCauseOfKillsTheKernelSkipped) {
  kernel_ = 3;
  probe_.counters.kills = 1;
  probe_.counters.submitted = 1;
  probe_.misses = 1;

  LookTwice();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].count(), 1U);
  EXPECT_EQ(gaps[1].count(), 1U);
  EXPECT_NE(gaps[0].cause(), gaps[1].cause());
  EXPECT_EQ(reconciler_->counts().unexplained, 1U);
}

TEST_F(ReconcilerTest, AKillOnItsWayAtEachOfTwoLooksIsNotMissed) {
  for (uint64_t kills = 1; kills <= 2; ++kills) {
    kernel_ = kills;
    int reads = 0;
    at_kernel_read_ = [this, kills, &reads] {
      if (++reads == 2) {  // ours follows in a moment
        probe_.counters.kills = probe_.counters.submitted = kills;
      }
    };
    reconciler_->Look();
  }
  at_kernel_read_ = [] {};

  EXPECT_EQ(reconciler_->counts().unexplained, 0U);
  EXPECT_TRUE(Gaps().empty());
}

TEST_F(ReconcilerTest, NotesTheMomentInWhichBothCountsAgree) {
  kernel_ = 1;
  probe_.counters.kills = 1;
  probe_.counters.submitted = 1;

  reconciler_->Look();

  ASSERT_TRUE(Agreed().has_value());
  EXPECT_EQ(Agreed()->kernel_kills, 1U);
}

TEST_F(ReconcilerTest, NotesNoAgreementWhileKillsWaitInTheRing) {
  kernel_ = 1;
  probe_.counters.kills = 1;
  probe_.counters.submitted = 1;
  pending_ = 2512;

  reconciler_->Look();

  EXPECT_FALSE(Agreed().has_value());
}

TEST_F(ReconcilerTest, NotesNoAgreementWhileTheKernelHasCountedMore) {
  kernel_ = 2;
  probe_.counters.kills = 1;
  probe_.counters.submitted = 1;

  reconciler_->Look();

  EXPECT_FALSE(Agreed().has_value());
}

TEST_F(ReconcilerTest, TellsTheKillsBeforeANewAttachment) {
  ASSERT_TRUE(WriteLastSeen(dir_.File("last-seen"), {.boot_id = "boot", .kernel_kills = 4}));
  probe_.attachment().base_kernel_kills = 6;
  Restart();

  reconciler_->TellAbsence();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].cause(), v1::GapEvent::CAUSE_NOT_RUNNING);
  EXPECT_EQ(gaps[0].count(), 2U);
}

TEST_F(ReconcilerTest, TellsNoAbsenceWhenTheProgramsWereRecording) {
  ASSERT_TRUE(WriteLastSeen(dir_.File("last-seen"), {.boot_id = "boot", .kernel_kills = 4}));
  probe_.attachment().base_kernel_kills = 6;
  probe_.attachment().absence_state = OOMBOX_ABSENCE_TOLD;

  reconciler_->TellAbsence();

  EXPECT_TRUE(Gaps().empty());
}

TEST_F(ReconcilerTest, TheGapAfterARebootBeginsWhereTheEarlierBootAgreedLast) {
  ASSERT_TRUE(WriteLastSeen(dir_.File("last-seen"),
                            {.boot_id = "earlier", .kernel_kills = 9, .wall_ns = 1'000'000'000}));
  probe_.attachment().attach_wall_ns = 5'000'000'000;
  probe_.attachment().base_kernel_kills = 2;
  Restart();

  reconciler_->TellAbsence();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].count(), 2U);
  EXPECT_EQ(gaps[0].start_time().seconds(), 1);
  EXPECT_EQ(gaps[0].end_time().seconds(), 5);
}

TEST_F(ReconcilerTest, WhatWasTakenIntoTheJournalIsNoGapAfterAReboot) {
  ASSERT_TRUE(WriteLastSeen(dir_.File("last-seen"),
                            {.boot_id = "earlier", .kernel_kills = 9, .wall_ns = 1'000'000'000}));
  probe_.attachment().base_kernel_kills = 5;
  Restart();

  reconciler_->TellAbsence(2);

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].count(), 3U);
}

// The journal's end that is remembered has what was taken; so has the kernel's count.
TEST_F(ReconcilerTest, WhatAFirstLifeTookIsNoGapOfTheNextAttachment) {
  probe_.attachment().base_kernel_kills = 5;
  Restart();

  reconciler_->TellAbsence(2);

  ASSERT_TRUE(Agreed().has_value());
  EXPECT_EQ(Agreed()->kernel_kills, 5U);
}

TEST_F(ReconcilerTest, AFirstLifeThatNeverAgreedIsKnownAfterAReboot) {
  kernel_.reset();
  reconciler_->TellAbsence();
  ASSERT_TRUE(Agreed().has_value());
  EXPECT_EQ(Agreed()->boot_id, "boot");
  EXPECT_TRUE(Gaps().empty());
  session_ = *journal_->BeginSession({.boot_id = "next boot"});
  probe_.attachment() = {.attach_boottime_ns = 78, .base_state = OOMBOX_BASE_READ};
  kernel_ = 0;
  Restart();

  reconciler_->TellAbsence();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_FALSE(gaps[0].has_count());
}

TEST_F(ReconcilerTest, TellsWithoutACountThatAnEarlierBootWasNotWatchedToItsEnd) {
  ASSERT_TRUE(WriteLastSeen(dir_.File("last-seen"), {.boot_id = "earlier", .kernel_kills = 9}));
  Restart();

  reconciler_->TellAbsence();
  Restart();
  reconciler_->TellAbsence();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_FALSE(gaps[0].has_count());
}

TEST_F(ReconcilerTest, NotesThatItStoppedWhenItWasTold) {
  reconciler_->Look();
  EXPECT_FALSE(Agreed()->stopped);

  reconciler_->Finish();

  EXPECT_TRUE(Agreed()->stopped);
}

TEST_F(ReconcilerTest, TellsOnceThatJournalAndStoreAreGone) {
  probe_.attachment().gone_wall_ns = 5'000'000'000;
  probe_.attachment().gone_kills = 7;

  LookTwice();
  Restart();
  LookTwice();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].cause(), v1::GapEvent::CAUSE_DAMAGED_FILE);
  EXPECT_FALSE(gaps[0].has_count());
  EXPECT_EQ(gaps[0].end_time().seconds(), 5);
}

TEST_F(ReconcilerTest, TellsAnAbsenceThatAnEarlierStartFoundAndCouldNotTell) {
  probe_.attachment().absence_state = OOMBOX_ABSENCE_TELLING;
  probe_.attachment().absence_kills = 3;

  reconciler_->TellAbsence();
  Restart();
  reconciler_->TellAbsence();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].count(), 3U);
  EXPECT_EQ(probe_.attachment().absence_state, uint64_t{OOMBOX_ABSENCE_TOLD});
}

TEST_F(ReconcilerTest, CountsEveryLossAlthoughAnAgentDiedBeforeItNotedWhatItTold) {
  probe_.counters.kills = 2;
  probe_.counters.dropped_ring_full = 2;
  reconciler_->Look();
  // As it was before the gap was stored; and more is lost meanwhile.
  probe_.attachment().ring_full = {.told = 0, .telling = 2};
  probe_.counters.kills = 7;
  probe_.counters.dropped_ring_full = 7;

  Restart();
  LookTwice();

  uint64_t sum = 0;
  for (const v1::GapEvent& gap : Gaps()) {
    sum += gap.count();
  }
  EXPECT_EQ(sum, 7U);
  EXPECT_EQ(probe_.attachment().ring_full.told, 7U);
}

TEST_F(ReconcilerTest, KnowsAGapOfAnEarlierRunAtTheFirstLook) {
  kernel_ = 3;
  probe_.counters.kills = 1;
  probe_.counters.submitted = 1;
  LookTwice();

  Restart();
  reconciler_->Look();

  EXPECT_EQ(reconciler_->counts().unexplained, 2U);
}

TEST_F(ReconcilerTest, AKillUnderWayAtTheBaseHidesNoLostOne) {
  probe_.attachment().base_kernel_kills = 5;
  kernel_ = 5;
  probe_.counters.kills = 1;  // the fifth
  probe_.counters.submitted = 1;
  LookTwice();
  EXPECT_TRUE(Agreed().has_value()) << "nothing is missing";
  kernel_ = 6;

  LookTwice();

  const auto gaps = Gaps();
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].count(), 1U);
}

}  // namespace
}  // namespace oombox
