#include "agent/query/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <vector>

namespace oombox {
namespace {

TEST(WorkQueueTest, RunsEverythingInOrderBeforeItEnds) {
  std::vector<int> ran;
  {
    WorkQueue queue(10);
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(queue.Post([&ran, i] { ran.push_back(i); }));
    }
  }
  EXPECT_THAT(ran, testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST(WorkQueueTest, SaysNoWhenItIsFull) {
  std::latch started(1);
  std::latch may_go_on(1);
  int ran = 0;
  {
    WorkQueue queue(2);
    ASSERT_TRUE(queue.Post([&] {
      started.count_down();
      may_go_on.wait();
    }));
    started.wait();

    EXPECT_TRUE(queue.Post([&] { ++ran; }));
    EXPECT_TRUE(queue.Post([&] { ++ran; }));
    EXPECT_FALSE(queue.Post([&] { ++ran; }));
    may_go_on.count_down();
  }
  EXPECT_EQ(ran, 2);
}

TEST(WorkQueueTest, ATaskThatTakesLongDoesNotHoldUpTheOthers) {
  std::latch others_ran(3);
  WorkQueue queue(10, 2);
  ASSERT_TRUE(queue.Post([&] { others_ran.wait(); }));

  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(queue.Post([&] { others_ran.count_down(); }));
  }

  others_ran.wait();
}

}  // namespace
}  // namespace oombox
