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

TEST(AccountingTest, FindsNothingWhenBothCountTheSame) {
  Accounting accounting(100, 0);

  EXPECT_EQ(accounting.Look(103, Seen(3)).unexplained, 0U);
  EXPECT_EQ(accounting.Look(103, Seen(3)).kernel, 3U);
}

TEST(AccountingTest, DoesNotBelieveADifferenceSeenOnce) {
  Accounting accounting(100, 0);

  EXPECT_EQ(accounting.Look(104, Seen(3)).unexplained, 0U);
  EXPECT_EQ(accounting.Look(104, Seen(4)).unexplained, 0U);
}

TEST(AccountingTest, BelievesADifferenceThatStays) {
  Accounting accounting(100, 0);

  accounting.Look(105, Seen(3));

  EXPECT_EQ(accounting.Look(106, Seen(4)).unexplained, 2U);
}

TEST(AccountingTest, CountsTheKernelsDoubleCountsAsExplained) {
  Accounting accounting(0, 0);

  accounting.Look(4, Seen(3, 1));

  EXPECT_EQ(accounting.Look(4, Seen(3, 1)).unexplained, 0U);
}

TEST(AccountingTest, LeavesOutWhatWasSeenBeforeTheBaseWasRead) {
  Accounting accounting(10, 2);

  accounting.Look(11, Seen(3));

  EXPECT_EQ(accounting.Look(11, Seen(3)).unexplained, 0U);
}

TEST(AccountingTest, IsUnknownWithoutTheKernelsCount) {
  EXPECT_EQ(Accounting(std::nullopt, 0).Look(5, Seen(1)).kernel, std::nullopt);
  EXPECT_EQ(Accounting(3, 0).Look(std::nullopt, Seen(1)).kernel, std::nullopt);
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
