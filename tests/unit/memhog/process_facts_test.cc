#include "tools/memhog/process_facts.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace oombox {
namespace {

constexpr char kStatus[] =
    "Name:\tx\nTgid:\t41\nUid:\t7\t7\t7\t7\nNSpid:\t41\t3\t1\nVmRSS:\t9 kB\n";

TEST(ProcessFactsTest, TakesTheInnermostNamespacePid) {
  const auto facts = ParseProcessFacts(
      "41 (x) S 40 41 41 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1", kStatus, "x\n");

  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->pid, 41);
  EXPECT_EQ(facts->parent_pid, 40);
  EXPECT_EQ(facts->namespace_pid, 1);
  EXPECT_EQ(facts->start_ticks, 98765u);
}

TEST(ProcessFactsTest, AHostileCommCannotShiftTheFields) {
  const auto facts =
      ParseProcessFacts("41 (a) R 1 (b)) S 40 41 41 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1",
                        kStatus, "a) R 1 (b)\n");

  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->parent_pid, 40);
  EXPECT_EQ(facts->start_ticks, 98765u);
  EXPECT_EQ(facts->comm, "a) R 1 (b)");
}

TEST(ProcessFactsTest, RefusesTruncatedText) {
  EXPECT_FALSE(ParseProcessFacts("41 (x) S 40 41", kStatus, "x\n").has_value());
  EXPECT_FALSE(ParseProcessFacts("", kStatus, "").has_value());
  EXPECT_FALSE(ParseProcessFacts("41 (x) S 40 41 41 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1",
                                 "Name:\tx\n", "x\n")
                   .has_value());
}

TEST(ProcessFactsTest, ReadsTheRunningProcess) {
  const auto facts = ReadProcessFacts(::getpid());

  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->tgid, ::getpid());
  EXPECT_EQ(facts->parent_pid, ::getppid());
  EXPECT_EQ(facts->uid, ::getuid());
  EXPECT_EQ(facts->comm, "memhog_test");
}

TEST(ProcessFactsTest, AVanishedProcessIsAnError) {
  EXPECT_FALSE(ReadProcessFacts(-1).has_value());
}

}  // namespace
}  // namespace oombox
