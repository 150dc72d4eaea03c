#include "agent/last_seen.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "agent/store/journal_id.h"

namespace oombox {
namespace {

LastSeen Seen(uint64_t kernel_kills, int64_t journal_id, const std::string& boot = "b1") {
  return {.boot_id = boot, .kernel_kills = kernel_kills, .journal_id = journal_id, .wall_ns = 1000};
}

TEST(LastSeenTest, FindsNoGapWhenTheJournalHasEveryKill) {
  EXPECT_EQ(GapBetween(Seen(10, 3), Seen(10, 3)), std::nullopt);
  EXPECT_EQ(GapBetween(Seen(10, 3), Seen(12, 5)), std::nullopt);
}

TEST(LastSeenTest, CountsTheKillsThatAreNotInTheJournal) {
  const auto gap = GapBetween(Seen(10, 3), Seen(15, 5));

  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->cause, v1::GapEvent::CAUSE_NOT_RUNNING);
  EXPECT_EQ(gap->count, 3U);
  EXPECT_EQ(gap->start_wall_ns, 1000);
}

TEST(LastSeenTest, CountsAllKillsOfABootThatBeganWithoutAnAgent) {
  const auto gap = GapBetween(Seen(10, 3), Seen(2, 3, "b2"));

  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->count, 2U);
}

TEST(LastSeenTest, DoesNotKnowWhatABootKilledThatNobodyWatchedToItsEnd) {
  LastSeen before = Seen(10, 3);

  const auto gap = GapBetween(before, Seen(0, 3, "b2"));
  before.stopped = true;

  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->count, std::nullopt);
  EXPECT_EQ(GapBetween(before, Seen(0, 3, "b2")), std::nullopt);
  LastSeen an_hour_later = Seen(0, 3, "b2");
  an_hour_later.wall_ns += 3'600'000'000'000;
  EXPECT_TRUE(GapBetween(before, an_hour_later).has_value());
  an_hour_later.boottime_ns = 3'600'000'000'000;
  EXPECT_FALSE(GapBetween(before, an_hour_later).has_value());
  an_hour_later.boottime_ns += 1;
  EXPECT_TRUE(GapBetween(before, an_hour_later).has_value()) << "a clock that cannot be believed";
}

TEST(LastSeenTest, CountsOnlyTheKillsOfTheJournal) {
  const int64_t first = NextJournalId(0, true);
  const int64_t second = NextJournalId(NextJournalId(NextJournalId(first, false), false), true);

  EXPECT_EQ(GapBetween(Seen(10, first), Seen(11, second)), std::nullopt);
  EXPECT_EQ(GapBetween(Seen(10, first), Seen(12, second))->count, 1U);
}

TEST(LastSeenTest, DoesNotTakeACountThatFellForAGap) {
  EXPECT_EQ(GapBetween(Seen(10, 3), Seen(4, 3)), std::nullopt);
}

TEST(LastSeenTest, ReadsWhatItWrote) {
  const std::string path = ::testing::TempDir() + fmt::format("/last-seen-{}", getpid());
  EXPECT_EQ(*ReadLastSeen(path), std::nullopt);

  ASSERT_TRUE(WriteLastSeen(path, Seen(7, 9)).has_value());
  const auto read = ReadLastSeen(path);

  ASSERT_TRUE(read.has_value() && read->has_value());
  EXPECT_EQ((*read)->boot_id, "b1");
  EXPECT_EQ((*read)->kernel_kills, 7U);
  EXPECT_EQ((*read)->journal_id, 9);
  EXPECT_FALSE((*read)->stopped);
  std::ofstream(path) << "nonsense";
  EXPECT_FALSE(ReadLastSeen(path).has_value());
  std::remove(path.c_str());
}

}  // namespace
}  // namespace oombox
