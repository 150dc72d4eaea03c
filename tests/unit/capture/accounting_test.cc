#include "agent/capture/accounting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>
#include <vector>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

oombox_kill_counters Seen(uint64_t kills, uint64_t double_counted = 0) {
  oombox_kill_counters seen{};
  seen.kills = kills;
  seen.double_counted = double_counted;
  return seen;
}

oombox_attachment Base(std::optional<uint64_t> kernel, uint64_t seen) {
  oombox_attachment attachment{};
  attachment.base_state = kernel ? OOMBOX_BASE_READ : OOMBOX_BASE_UNREADABLE;
  attachment.base_kernel_kills = kernel.value_or(0);
  attachment.base_kills = seen;
  return attachment;
}

TEST(AccountingTest, FindsNothingWhenBothCountTheSame) {
  const oombox_attachment base = Base(100, 0);
  Accounting accounting(base);

  EXPECT_EQ(accounting.Look(103, Seen(3), 0).unexplained, 0U);
  EXPECT_EQ(accounting.Look(103, Seen(3), 0).kernel, 3U);
}

TEST(AccountingTest, DoesNotBelieveADifferenceSeenOnce) {
  const oombox_attachment base = Base(100, 0);
  Accounting accounting(base);

  EXPECT_EQ(accounting.Look(104, Seen(3), 0).unexplained, 0U);
  EXPECT_EQ(accounting.Look(104, Seen(4), 0).unexplained, 0U);
}

// What each side counts, one reading after the other; the last stays.
struct Sides {
  uint64_t ours_before;
  uint64_t kernel;
  uint64_t ours;
};

class Counting {
 public:
  explicit Counting(std::vector<Sides> readings) : readings_(std::move(readings)) {}
  Accounting::Reading Read(const oombox_attachment& base) {
    return Accounting(base).Read([this] { return std::optional(readings_[at_ - 1].kernel); },
                                 [this] {
                                   before_ = !before_;
                                   if (!before_) {
                                     return Seen(readings_[at_ - 1].ours);
                                   }
                                   at_ = std::min(at_ + 1, readings_.size());
                                   return Seen(readings_[at_ - 1].ours_before);
                                 },
                                 std::chrono::milliseconds(0));
  }
  size_t at() const { return at_; }

 private:
  std::vector<Sides> readings_;
  size_t at_ = 0;
  bool before_ = false;
};

TEST(AccountingTest, ReadsOnceWhatAgrees) {
  Counting counting({{3, 103, 3}, {3, 104, 3}});

  EXPECT_EQ(counting.Read(Base(100, 0)).kernel, 103U);
  EXPECT_EQ(counting.at(), 1U);
}

TEST(AccountingTest, ReadsAgainWhatAKillOnItsWayMakesDiffer) {
  Counting counting({{3, 104, 3}, {4, 105, 4}, {5, 105, 5}});

  const auto reading = counting.Read(Base(100, 0));

  EXPECT_EQ(reading.kernel, 105U);
  EXPECT_EQ(reading.seen.kills, 5U);
}

TEST(AccountingTest, TakesTheLeastDifferenceOfAStormAndWhatStandsStill) {
  Counting still({{3, 105, 3}, {4, 105, 4}, {4, 105, 4}, {5, 105, 5}});
  EXPECT_EQ(still.Read(Base(100, 0)).seen.kills, 4U) << "one is missing";
  EXPECT_EQ(still.at(), 3U);

  std::vector<Sides> storm;
  for (uint64_t i = 1; i < 100; ++i) {
    storm.push_back({i, 100 + i + (i == 7 ? 1 : 2), i});
  }
  EXPECT_EQ(Counting(storm).Read(Base(100, 0)).seen.kills, 7U);
}

TEST(AccountingTest, AKillBetweenTheSidesHidesNoneThatIsMissing) {
  Counting counting({{3, 104, 4}, {4, 105, 4}, {4, 105, 4}});
  const auto reading = counting.Read(Base(100, 0));
  EXPECT_EQ(*reading.kernel - 100 - reading.seen.kills, 1U);
}

TEST(AccountingTest, LooksNoFurtherThanWhatWasTold) {
  oombox_attachment base = Base(100, 0);
  base.unexplained.told = 1;
  Counting counting({{3, 104, 3}, {3, 104, 3}});
  counting.Read(base);
  EXPECT_EQ(counting.at(), 1U);
}

TEST(AccountingTest, BelievesADifferenceThatStays) {
  const oombox_attachment base = Base(100, 0);
  Accounting accounting(base);

  accounting.Look(105, Seen(3), 0);

  EXPECT_EQ(accounting.Look(106, Seen(4), 0).unexplained, 2U);
}

TEST(AccountingTest, CountsTheKernelsDoubleCountsAsExplained) {
  const oombox_attachment base = Base(0, 0);
  Accounting accounting(base);

  accounting.Look(4, Seen(3, 1), 0);

  EXPECT_EQ(accounting.Look(4, Seen(3, 1), 0).unexplained, 0U);
}

TEST(AccountingTest, LeavesOutWhatWasSeenBeforeTheBaseWasRead) {
  const oombox_attachment base = Base(10, 2);
  Accounting accounting(base);

  accounting.Look(11, Seen(3), 0);

  EXPECT_EQ(accounting.Look(11, Seen(3), 0).unexplained, 0U);
}

TEST(AccountingTest, ExplainsMissingKillsByRunsTheKernelSkipped) {
  const oombox_attachment base = Base(0, 0);
  Accounting accounting(base);
  accounting.Look(5, Seen(2), 1);

  const KillCounts counts = accounting.Look(5, Seen(2), 1);

  EXPECT_EQ(counts.recursion, 1U);
  EXPECT_EQ(counts.unexplained, 2U);
}

TEST(AccountingTest, DoesNotCountASkippedRunThatWasNoKill) {
  const oombox_attachment base = Base(0, 0);
  Accounting accounting(base);
  accounting.Look(2, Seen(2), 7);

  EXPECT_EQ(accounting.Look(2, Seen(2), 7).recursion, 0U);
}

constexpr std::chrono::milliseconds kNoPause(0);

TEST(NoteBaseTest, ReadsBothCountsAtOneMomentAlthoughKillsGoOn) {
  oombox_attachment attachment{};
  uint64_t kernel = 10;
  uint64_t kills = 0;
  int moves = 3;
  const auto read_kernel = [&] {
    const uint64_t now = kernel;
    if (moves-- > 0) {  // a kill right after the count was read
      ++kernel;
      ++kills;
    }
    return std::optional(now);
  };

  NoteBase(
      attachment, [&] { return Seen(kills); }, read_kernel, kNoPause);

  EXPECT_EQ(attachment.base_state, OOMBOX_BASE_READ);
  EXPECT_EQ(attachment.base_kernel_kills - attachment.base_kills, 10U);
}

TEST(NoteBaseTest, WaitsForAKillThatOnlyTheKernelHasCounted) {
  oombox_attachment attachment{};
  int looks = 0;

  NoteBase(
      attachment, [&] { return Seen(++looks > 1 ? 1 : 0); },
      [] { return std::optional<uint64_t>(11); }, kNoPause);

  EXPECT_EQ(attachment.base_kernel_kills - attachment.base_kills, 10U);
}

TEST(NoteBaseTest, KeepsTheBaseOfAnEarlierAgent) {
  oombox_attachment attachment = Base(5, 1);

  NoteBase(
      attachment, [] { return Seen(9); }, [] { return std::optional<uint64_t>(99); });

  EXPECT_EQ(attachment.base_kernel_kills, 5U);
  EXPECT_EQ(attachment.base_kills, 1U);
}

TEST(AccountingTest, IsUnknownWithoutTheKernelsCount) {
  const oombox_attachment unreadable = Base(std::nullopt, 0);
  const oombox_attachment read = Base(3, 0);
  EXPECT_EQ(Accounting(unreadable).Look(5, Seen(1), 0).kernel, std::nullopt);
  EXPECT_EQ(Accounting(read).Look(std::nullopt, Seen(1), 0).kernel, std::nullopt);
}

TEST(AccountingTest, WhatWasToldAsUnexplainedStaysSoWhenASkippedRunTurnsUpLater) {
  oombox_attachment base = Base(0, 0);
  Accounting accounting(base);
  accounting.Look(1, Seen(0), 0);
  EXPECT_EQ(accounting.Look(1, Seen(0), 0).unexplained, 1U);
  base.unexplained.told = 1;

  const KillCounts counts = accounting.Look(1, Seen(0), 3);

  EXPECT_EQ(counts.recursion, 0U) << "one kill would be two gaps";
  EXPECT_EQ(counts.unexplained, 1U);
}

// The kernel had counted it, we had not.
TEST(AccountingTest, AKillThatWasUnderWayAtTheBaseHidesNoLostOne) {
  oombox_attachment base = Base(101, 0);
  Accounting accounting(base);

  EXPECT_EQ(accounting.Ahead(Seen(1), 101), 0U) << "believed when it is found again";
  const uint64_t ahead = accounting.Ahead(Seen(1), 101);

  EXPECT_EQ(ahead, 1U);
  base.base_kernel_kills -= ahead;
  accounting.Look(102, Seen(1), 0);
  EXPECT_EQ(accounting.Look(102, Seen(1), 0).unexplained, 1U);
  EXPECT_EQ(accounting.Ahead(Seen(1), 102), 0U);
}

TEST(AccountingTest, AKillBetweenTheTwoCountsIsNotAhead) {
  const oombox_attachment base = Base(100, 0);
  Accounting accounting(base);

  EXPECT_EQ(accounting.Ahead(Seen(1), 102), 0U);
  EXPECT_EQ(accounting.Ahead(Seen(2), 102), 0U);
}

TEST(AccountingTest, ReadsOomKillFromVmstat) {
  const TempDir dir;
  const std::string path = dir.File("vmstat");
  std::ofstream(path) << "nr_free_pages 123\noom_kill 42\nother 1\n";

  EXPECT_EQ(ReadKernelKills(path), 42U);
  EXPECT_EQ(ReadKernelKills(path + ".missing"), std::nullopt);
}

}  // namespace
}  // namespace oombox
