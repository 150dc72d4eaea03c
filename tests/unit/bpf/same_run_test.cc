#include "bpf/lib/same_run.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

// Addresses of tasks.
constexpr __u64 kChosen = 0x1000;
constexpr __u64 kOther = 0x2000;
constexpr __u64 kOthersLeader = 0x3000;

TEST(SameRunTest, AFurtherVictimDiesOfTheSameDecision) {
  EXPECT_TRUE(is_same_run(kChosen, kChosen, kOther, kOther));
  EXPECT_TRUE(is_same_run(kChosen, kChosen, kOther, kOthersLeader));
}

TEST(SameRunTest, AnotherDecisionIsAnotherRun) {
  EXPECT_FALSE(is_same_run(kChosen, kOther, kOther, kOther));
  EXPECT_FALSE(is_same_run(0, kChosen, kOther, kOther));
}

TEST(SameRunTest, ARunBeginsWithTheTaskItChoseEvenIfItsMemoryWasThatOfAnEarlierOne) {
  EXPECT_FALSE(is_same_run(kChosen, kChosen, kChosen, kChosen));
  // The chosen leader has exited; another thread of it is marked.
  EXPECT_FALSE(is_same_run(kChosen, kChosen, kOther, kChosen));
}

TEST(SameRunTest, WithoutADecisionNothingIsKnown) {
  EXPECT_FALSE(is_same_run(0, 0, kOther, kOther));
  EXPECT_FALSE(is_same_run(kChosen, 0, kOther, kOther));
}

}  // namespace
}  // namespace oombox
