#include "agent/match_journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string_view>
#include <vector>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

class MatchJournalTest : public ::testing::Test {
 protected:
  MatchJournalTest() {
    journal_ = std::move(*Journal::Open({.path = dir_.File("journal.db")}));
    store_ = std::move(*EventStore::Open({.path = dir_.File("events.db")}));
    session_ = *journal_->BeginSession({.boot_id = "boot"});
    EXPECT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());
  }

  int64_t Append(int count) {
    const std::vector<std::string_view> records(static_cast<size_t>(count), "record");
    const int64_t last = *journal_->Append(session_.id, records);
    attachment_.journal_last_id = static_cast<uint64_t>(last);
    return last;
  }
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

  ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());

  EXPECT_EQ(attachment_.damaged.telling, 2U);
  EXPECT_EQ(*store_->JournalCursor(), 0);
}

TEST_F(MatchJournalTest, CountsItOnceAlthoughTheStartIsRepeated) {
  Append(5);
  LoseJournal();

  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());
  }

  EXPECT_EQ(attachment_.damaged.telling, 5U);
}

TEST_F(MatchJournalTest, FindsNothingLostInAJournalThatGoesOn) {
  Append(5);

  ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());

  EXPECT_EQ(attachment_.damaged.telling, 0U);
  EXPECT_EQ(attachment_.gone_wall_ns, 0U);
}

TEST_F(MatchJournalTest, NotesWhatWasCapturedWhenTheStoreIsANewOneToo) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  Append(2);
  LoseJournal();
  store_ = std::move(*EventStore::Open({.path = dir_.File("other-events.db")}));

  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());
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

  ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &fresh).has_value());

  EXPECT_GT(fresh.gone_wall_ns, 0U);
  EXPECT_EQ(fresh.gone_kills, 0U);
}

TEST_F(MatchJournalTest, CountsAllThatIsGoneAfterAnEarlierJournalWasLost) {
  ASSERT_TRUE(store_->Put({}, Append(3)).has_value());
  LoseJournal();
  ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());
  session_ = *journal_->BeginSession({.boot_id = "boot"});
  Append(2);
  journal_ = std::move(*Journal::Open({.path = dir_.File("third.db")}));
  store_ = std::move(*EventStore::Open({.path = dir_.File("other-events.db")}));

  ASSERT_TRUE(MatchJournalAndStore(*journal_, *store_, &attachment_).has_value());

  EXPECT_EQ(attachment_.gone_kills, 5U);
}

}  // namespace
}  // namespace oombox
