#include "agent/capture/accounting.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

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
  Accounting accounting(Base(100, 0));

  EXPECT_EQ(accounting.Look(103, Seen(3), 0).unexplained, 0U);
  EXPECT_EQ(accounting.Look(103, Seen(3), 0).kernel, 3U);
}

TEST(AccountingTest, DoesNotBelieveADifferenceSeenOnce) {
  Accounting accounting(Base(100, 0));

  EXPECT_EQ(accounting.Look(104, Seen(3), 0).unexplained, 0U);
  EXPECT_EQ(accounting.Look(104, Seen(4), 0).unexplained, 0U);
}

TEST(AccountingTest, BelievesADifferenceThatStays) {
  Accounting accounting(Base(100, 0));

  accounting.Look(105, Seen(3), 0);

  EXPECT_EQ(accounting.Look(106, Seen(4), 0).unexplained, 2U);
}

TEST(AccountingTest, CountsTheKernelsDoubleCountsAsExplained) {
  Accounting accounting(Base(0, 0));

  accounting.Look(4, Seen(3, 1), 0);

  EXPECT_EQ(accounting.Look(4, Seen(3, 1), 0).unexplained, 0U);
}

TEST(AccountingTest, LeavesOutWhatWasSeenBeforeTheBaseWasRead) {
  Accounting accounting(Base(10, 2));

  accounting.Look(11, Seen(3), 0);

  EXPECT_EQ(accounting.Look(11, Seen(3), 0).unexplained, 0U);
}

TEST(AccountingTest, ExplainsMissingKillsByRunsTheKernelSkipped) {
  Accounting accounting(Base(0, 0));
  accounting.Look(5, Seen(2), 1);

  const KillCounts counts = accounting.Look(5, Seen(2), 1);

  EXPECT_EQ(counts.recursion, 1U);
  EXPECT_EQ(counts.unexplained, 2U);
}

TEST(AccountingTest, DoesNotCountASkippedRunThatWasNoKill) {
  Accounting accounting(Base(0, 0));
  accounting.Look(2, Seen(2), 7);

  EXPECT_EQ(accounting.Look(2, Seen(2), 7).recursion, 0U);
}

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
      attachment, [&] { return Seen(kills); }, read_kernel);

  EXPECT_EQ(attachment.base_state, OOMBOX_BASE_READ);
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
  EXPECT_EQ(Accounting(Base(std::nullopt, 0)).Look(5, Seen(1), 0).kernel, std::nullopt);
  EXPECT_EQ(Accounting(Base(3, 0)).Look(std::nullopt, Seen(1), 0).kernel, std::nullopt);
}

TEST(AccountingTest, ReadsOomKillFromVmstat) {
  const std::string path = ::testing::TempDir() + "/vmstat";
  std::ofstream(path) << "nr_free_pages 123\noom_kill 42\nother 1\n";

  EXPECT_EQ(ReadKernelKills(path), 42U);
  EXPECT_EQ(ReadKernelKills(path + ".missing"), std::nullopt);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace oombox
