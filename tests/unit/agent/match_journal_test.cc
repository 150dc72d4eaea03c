#include "agent/match_journal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "agent/common/clock.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

class MatchJournalTest : public ::testing::Test {
 protected:
  MatchJournalTest() {
    journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));
    store_ = std::move(*EventStore::Open({.path = dir_.File("events.db")}));
    session_ = *journal_->BeginSession({.boot_id = "boot"});
    EXPECT_TRUE(Match(attachment_).has_value());
  }

  int64_t Append(int count) {
    const std::vector<std::string_view> records(static_cast<size_t>(count), "record");
    const int64_t last = *journal_->Append(session_.id, records);
    attachment_.journal_last_id = static_cast<uint64_t>(last);
    return last;
  }
  MatchOptions Options() const {
    return {dir_.File("base"), dir_.File("earlier"),
            [](std::string_view bytes) { return bytes == "record"; }};
  }
  Status Match(oombox_attachment& attachment) {
    return MatchJournalAndStore(*journal_, *store_, Options(), &attachment);
  }
  void LoseStore() { store_ = std::move(*EventStore::Open({.path = dir_.File("new-events.db")})); }
  void LoseJournal() { journal_ = std::move(*Journal::Open({.path = dir_.File("other.db")})); }

  TempDir dir_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<EventStore> store_;
  JournalSession session_;
  oombox_attachment attachment_{};
};

TEST_F(MatchJournalTest, CountsWhatALostJournalHeldAndNobodyHadDerived) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  Append(2);
  LoseJournal();

  ASSERT_TRUE(Match(attachment_).has_value());

  EXPECT_EQ(attachment_.damaged.telling, 2U);
  EXPECT_EQ(*store_->JournalCursor(), 0);
}

TEST_F(MatchJournalTest, CountsItOnceAlthoughTheStartIsRepeated) {
  Append(5);
  LoseJournal();

  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(Match(attachment_).has_value());
  }

  EXPECT_EQ(attachment_.damaged.telling, 5U);
}

TEST_F(MatchJournalTest, FindsNothingLostInAJournalThatGoesOn) {
  Append(5);

  ASSERT_TRUE(Match(attachment_).has_value());

  EXPECT_EQ(attachment_.damaged.telling, 0U);
  EXPECT_EQ(attachment_.gone_wall_ns, 0U);
}

TEST_F(MatchJournalTest, NotesWhatWasCapturedWhenTheStoreIsANewOneToo) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  Append(2);
  LoseJournal();
  store_ = std::move(*EventStore::Open({.path = dir_.File("other-events.db")}));

  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(Match(attachment_).has_value());
  }

  EXPECT_EQ(attachment_.damaged.telling, 0U);
  EXPECT_EQ(attachment_.gone_kills, 5U);
  EXPECT_GT(attachment_.gone_wall_ns, 0U);
}

TEST_F(MatchJournalTest, NotesADamagedJournalOfAnEarlierAttachment) {
  Append(3);
  journal_.reset();
  std::ofstream(dir_.File("journal.db"), std::ios::trunc) << std::string(8192, 'x');
  journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));
  ASSERT_NE(journal_->moved_aside(), "");
  oombox_attachment fresh{};

  ASSERT_TRUE(Match(fresh).has_value());

  EXPECT_GT(fresh.gone_wall_ns, 0U);
  EXPECT_EQ(fresh.gone_kills, 0U);
}

TEST_F(MatchJournalTest, NotesADamagedJournalAlsoWhenTheStartThatFoundItDied) {
  journal_.reset();
  std::ofstream(dir_.File("journal.db"), std::ios::trunc) << std::string(8192, 'x');
  Journal::Open({.path = dir_.File("journal.db")}).value().reset();
  journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));
  oombox_attachment fresh{};
  ASSERT_TRUE(Match(fresh).has_value());
  EXPECT_GT(fresh.gone_wall_ns, 0U);
  fresh.gone_wall_ns = 0;
  journal_.reset();
  journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));

  ASSERT_TRUE(Match(fresh).has_value());

  EXPECT_EQ(fresh.gone_wall_ns, 0U);  // the earlier start had noted it
}

TEST_F(MatchJournalTest, CountsAllThatIsGoneAfterAnEarlierJournalWasLost) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  LoseJournal();
  ASSERT_TRUE(Match(attachment_).has_value());
  session_ = *journal_->BeginSession({.boot_id = "boot"});
  Append(2);
  journal_ = std::move(*Journal::Open({.path = dir_.File("third.db")}));
  store_ = std::move(*EventStore::Open({.path = dir_.File("other-events.db")}));

  ASSERT_TRUE(Match(attachment_).has_value());

  EXPECT_EQ(attachment_.gone_kills, 5U);
}

TEST_F(MatchJournalTest, LeavesOutOfTheEventsWhatANewStoreDerivesOfEarlierAttachments) {
  Append(3);
  oombox_attachment later{.attach_boottime_ns = 7};
  ASSERT_TRUE(Match(later).has_value());
  Append(2);
  later.journal_last_id = attachment_.journal_last_id;
  LoseStore();

  ASSERT_TRUE(Match(later).has_value());

  EXPECT_EQ(later.base_events, 3U);  // all five are derived again
  EXPECT_EQ(later.gone_kills, 0U);
  EXPECT_EQ(later.gone_wall_ns, 0U);
}

TEST_F(MatchJournalTest, LeavesOutWhatWasCapturedBeforeAndNotDerivedYet) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  Append(2);
  oombox_attachment later{.attach_boottime_ns = 7};

  ASSERT_TRUE(Match(later).has_value());

  EXPECT_EQ(later.base_events, 2U);
}

TEST_F(MatchJournalTest, NotesWhatOnlyALostStoreHad) {
  ASSERT_TRUE(store_->Put({}, Append(4)).has_value());
  const auto entries = *journal_->ReadAfter(0, 4);
  // The journal is full: it keeps the last two.
  journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db"), .max_age_seconds = 1}));
  ASSERT_TRUE(journal_->Retain(entries[1].id, WallNowNs() + 10'000'000'000).has_value());
  LoseStore();

  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(Match(attachment_).has_value());
  }

  EXPECT_EQ(attachment_.gone_kills, 2U);
  EXPECT_GT(attachment_.gone_wall_ns, 0U);
  EXPECT_EQ(attachment_.base_events, 0U);
}

TEST_F(MatchJournalTest, LeavesOutWhatAnEarlierRingHeld) {
  oombox_attachment fresh{.attach_boottime_ns = 7};
  ASSERT_TRUE(Match(fresh).has_value());
  const EarlierMark mark = *MarkEarlier(*journal_, Options(), fresh);
  Append(3);

  ASSERT_TRUE(LeaveOutEarlier(*journal_, mark, Options(), fresh).has_value());

  EXPECT_EQ(fresh.base_events, 3U);
  EXPECT_EQ(static_cast<int64_t>(fresh.base_journal_id), *journal_->LastId());
  ForgetEarlier(Options());
  EXPECT_EQ(MarkEarlier(*journal_, Options(), fresh)->journal_last, *journal_->LastId());
}

TEST_F(MatchJournalTest, LeavesOutTheSameWhenKilledBeforeOrAfter) {
  oombox_attachment fresh{.attach_boottime_ns = 7};
  ASSERT_TRUE(Match(fresh).has_value());
  ASSERT_TRUE(MarkEarlier(*journal_, Options(), fresh).has_value());
  Append(2);  // and killed

  ASSERT_TRUE(Match(fresh).has_value());
  const EarlierMark mark = *MarkEarlier(*journal_, Options(), fresh);
  Append(1);
  ASSERT_TRUE(LeaveOutEarlier(*journal_, mark, Options(), fresh).has_value());
  EXPECT_EQ(fresh.base_events, 3U);
  ASSERT_TRUE(LeaveOutEarlier(*journal_, mark, Options(), fresh).has_value());

  EXPECT_EQ(fresh.base_events, 3U);
  EXPECT_EQ(static_cast<int64_t>(fresh.base_journal_id), *journal_->LastId());
}

TEST_F(MatchJournalTest, AMarkOfAnotherAttachmentIsNone) {
  oombox_attachment old{.attach_boottime_ns = 6};
  ASSERT_TRUE(MarkEarlier(*journal_, Options(), old).has_value());
  Append(2);
  oombox_attachment fresh{.attach_boottime_ns = 7};

  EXPECT_EQ(MarkEarlier(*journal_, Options(), fresh)->journal_last, *journal_->LastId());
}

TEST_F(MatchJournalTest, LosesNoMoreThanItCapturedWithAnotherFoldersJournal) {
  Append(4);
  journal_ = std::move(*Journal::Open({.path = dir_.File("far.db"), .max_age_seconds = 1}));
  session_ = *journal_->BeginSession({.boot_id = "boot"});
  const std::vector<std::string_view> records(100, "record");
  const int64_t last = *journal_->Append(session_.id, records);
  ASSERT_TRUE(journal_->Retain(last, WallNowNs() + 10'000'000'000).has_value());
  LoseStore();

  ASSERT_TRUE(Match(attachment_).has_value());

  EXPECT_EQ(attachment_.gone_kills, 4U);
}

TEST_F(MatchJournalTest, EndsTheSameWhenKilledHalfWay) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  Append(2);
  LoseJournal();
  oombox_attachment half = attachment_;
  ASSERT_TRUE(Match(attachment_).has_value());
  // As it stands when the file has its name and a part of the page was written.
  const oombox_attachment done = attachment_;
  half.damaged.telling = done.damaged.telling;
  half.kills_of_earlier_journals = done.kills_of_earlier_journals;
  std::ofstream(dir_.File("base"))
      << fmt::format("{} {} {} {} {} {} {} 0 0\n", half.attach_boottime_ns, done.base_store,
                     done.base_events, done.base_journal_id, done.journal_last_id,
                     done.damaged.telling, done.kills_of_earlier_journals);

  ASSERT_TRUE(Match(half).has_value());

  EXPECT_EQ(std::memcmp(&half, &done, sizeof half), 0);
}

TEST_F(MatchJournalTest, TakesNothingOfAnotherAttachment) {
  std::ofstream(dir_.File("base")) << "99 1 2 3 4 5 6 7 8\n";

  ASSERT_TRUE(Match(attachment_).has_value());

  EXPECT_EQ(attachment_.gone_kills, 0U);
  EXPECT_FALSE(std::filesystem::exists(dir_.File("base")));
}

}  // namespace
}  // namespace oombox
