#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/common/clock.h"
#include "agent/store/event_store.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

constexpr int64_t kDayNs = 86'400'000'000'000;
constexpr uint64_t kMaxBytes = 1u << 20;

class RetentionTest : public testing::Test {
 protected:
  void Open(bool expects_acknowledgement) {
    store_.reset();
    store_ = EventStore::Open({.path = dir_.File("events.db"),
                               .max_bytes = kMaxBytes,
                               .max_age_seconds = 86400,
                               .expects_acknowledgement = expects_acknowledgement})
                 .value();
  }

  void PutBig(uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; ++i) {
      v1::Event event = TestOom(i);
      event.mutable_oom()->mutable_victims(0)->set_cmdline(std::string(16u << 10, 'x'));
      ASSERT_TRUE(store_->Put(std::vector{event}, std::nullopt).has_value());
    }
  }

  TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(RetentionTest, RemovesTheOldestUntilTheStoreIsBelowItsSize) {
  Open(false);
  PutBig(0, 200);
  ASSERT_GT(store_->Stats().value().bytes, kMaxBytes);

  ASSERT_TRUE(store_->Retain(WallNowNs()).has_value());

  const StoreStats stats = store_->Stats().value();
  EXPECT_LE(stats.bytes, kMaxBytes);
  EXPECT_GT(stats.events, 0u);
  EXPECT_TRUE(store_->Get(TestId(199)).has_value());
  EXPECT_EQ(store_->Get(TestId(0)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(stats.evicted_unacknowledged, 0u);
  EXPECT_EQ(stats.evicted, 200 - stats.events);
}

TEST_F(RetentionTest, RemovesNothingBelowTheLimits) {
  Open(false);
  PutBig(0, 10);

  ASSERT_TRUE(store_->Retain(WallNowNs()).has_value());

  EXPECT_EQ(store_->Stats().value().events, 10u);
}

TEST_F(RetentionTest, RemovesWhatWasStoredTooLongAgo) {
  Open(false);
  PutBig(0, 10);

  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());

  EXPECT_EQ(store_->Stats().value().events, 0u);
}

// They are stamped by a clock that nobody sets, which may be decades behind the one of the events.
TEST_F(RetentionTest, LeavesReportsToWhoeverKnowsTheirClock) {
  Open(false);
  ASSERT_TRUE(store_
                  ->PutReports(std::vector<EventStore::StoredReport>{
                      {.report = {}, .received_wall_ns = 1000},
                  })
                  .has_value());

  ASSERT_TRUE(store_->Retain(WallNowNs()).has_value());

  EXPECT_EQ(store_->Reports().value().size(), 1u);
  ASSERT_TRUE(store_->ForgetReports(1001).has_value());
  EXPECT_TRUE(store_->Reports().value().empty());
}

TEST_F(RetentionTest, KeepsTheAgeOfAnEventWhenTheClockIsSet) {
  constexpr int64_t kSecondNs = 1'000'000'000;
  for (const int64_t set_to : {20'000 * kDayNs, 10'000 * kDayNs - kDayNs / 4}) {
    int64_t wall = 10'000 * kDayNs;
    uint64_t boot = 10 * kSecondNs;
    store_ = EventStore::Open({.path = dir_.File(std::to_string(set_to)),
                               .max_age_seconds = 86400,
                               .wall_now = [&wall] { return wall; },
                               .boot_now = [&boot] { return boot; }})
                 .value();
    const auto pass = [&](int64_t time_ns) {
      wall += time_ns;
      boot += static_cast<uint64_t>(time_ns);
    };
    PutBig(0, 2);
    wall = set_to;
    PutBig(2, 4);

    ASSERT_TRUE(store_->Retain(wall).has_value());
    EXPECT_EQ(store_->Stats().value().events, 4u);
    pass(kDayNs - kSecondNs);
    ASSERT_TRUE(store_->Retain(wall).has_value());
    EXPECT_EQ(store_->Stats().value().events, 4u);
    pass(2 * kSecondNs);
    ASSERT_TRUE(store_->Retain(wall).has_value());
    EXPECT_EQ(store_->Stats().value().events, 0u);
  }
}

TEST_F(RetentionTest, CountsForEverWhatNobodyHadAcknowledged) {
  Open(true);
  PutBig(0, 10);
  ASSERT_TRUE(store_->Acknowledge("collector", 4, {}).has_value());
  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());

  Open(true);

  EXPECT_EQ(store_->Stats().value().evicted_unacknowledged, 6u);
  EXPECT_EQ(store_->Stats().value().unacknowledged, 0u);
}

TEST_F(RetentionTest, CountsWhatTheCollectorRefusedUntilItIsTakenOrGone) {
  Open(true);
  PutBig(0, 3);
  const std::string id = store_->Get("latest")->event.event_id();
  const std::vector<std::string> refused{id, TestId(999)};
  ASSERT_TRUE(store_->Acknowledge("collector", 3, refused).has_value());
  Open(true);  // what is refused outlives the agent that was told
  EXPECT_EQ(store_->Stats()->refused, 1u);
  EXPECT_EQ(store_->Stats()->unacknowledged, 0u);

  const int64_t time_ns = AttributesOf(store_->Get(id)->event).time_ns;
  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());

  EXPECT_EQ(store_->Stats()->refused, 0u);
  EXPECT_EQ(store_->Stats()->evicted_unacknowledged, 1u);
  EXPECT_EQ(store_->Stats()->missing_time_ns, time_ns);
}

TEST_F(RetentionTest, ANewRevisionOrANewCollectorIsANewChance) {
  Open(true);
  PutBig(0, 2);
  const std::string id = store_->Get("latest")->event.event_id();
  const std::vector<std::string> refused{id};
  ASSERT_TRUE(store_->Acknowledge("collector", 2, refused).has_value());
  ASSERT_TRUE(store_->Annotate(id, {{"key", "value"}}).has_value());
  EXPECT_EQ(store_->Stats()->refused, 0u);
  // What it said of the earlier revision comes late.
  ASSERT_TRUE(store_->Acknowledge("collector", 2, refused).has_value());
  EXPECT_EQ(store_->Stats()->refused, 0u);
  ASSERT_TRUE(store_->Acknowledge("collector", 3, refused).has_value());
  EXPECT_EQ(store_->Stats()->refused, 1u);

  ASSERT_TRUE(store_->Acknowledge("another", 0, {}).has_value());

  EXPECT_EQ(store_->Stats()->refused, 0u);
}

TEST_F(RetentionTest, ANewCollectorLacksAllThatWasEvicted) {
  Open(true);
  PutBig(0, 3);
  const int64_t time_ns = AttributesOf(store_->Get("latest")->event).time_ns;
  ASSERT_TRUE(store_->Acknowledge("collector", 3, {}).has_value());
  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());
  EXPECT_EQ(store_->Stats()->missing_time_ns, 0);
  EXPECT_EQ(store_->Bounds()->evicted_time_ns, time_ns);

  ASSERT_TRUE(store_->Acknowledge("another", 0, {}).has_value());

  EXPECT_EQ(store_->Stats()->missing_time_ns, time_ns);
}

TEST_F(RetentionTest, WhatWasEvictedWithoutACollectorIsMissingAtALaterOne) {
  Open(true);
  PutBig(0, 2);
  ASSERT_TRUE(store_->Acknowledge("collector", 2, {}).has_value());
  Open(false);
  PutBig(2, 3);
  const int64_t time_ns = AttributesOf(store_->Get("latest")->event).time_ns;
  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());

  Open(true);
  ASSERT_TRUE(store_->Acknowledge("collector", 2, {}).has_value());

  EXPECT_EQ(store_->Stats()->missing_time_ns, time_ns);
  EXPECT_EQ(store_->Stats()->evicted_unacknowledged, 0u);
}

TEST_F(RetentionTest, AnEventOfTheFutureIsNotMissingForEver) {
  Open(true);
  v1::Event future = TestOom(1);
  future.mutable_event_time()->set_seconds(5'000'000'000);
  ASSERT_TRUE(store_->Put(std::vector{future}, std::nullopt).has_value());

  const int64_t now_ns = WallNowNs() + 2 * kDayNs;
  ASSERT_TRUE(store_->Retain(now_ns).has_value());

  EXPECT_EQ(store_->Bounds()->evicted_time_ns, now_ns);
  EXPECT_EQ(store_->Stats()->missing_time_ns, store_->Bounds()->evicted_time_ns);
}

TEST_F(RetentionTest, NeverGivesASeqOutTwice) {
  Open(false);
  PutBig(0, 3);
  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());

  PutBig(3, 4);

  EXPECT_EQ(store_->ReadAfter(0, 10).value().front().seq, 4u);
}

TEST_F(RetentionTest, TakesAnnotationsOfARemovedEventWithIt) {
  Open(false);
  PutBig(0, 1);
  ASSERT_TRUE(store_->Annotate(TestId(0), {{"a", "1"}}).has_value());
  ASSERT_TRUE(store_->Retain(WallNowNs() + 2 * kDayNs).has_value());

  PutBig(0, 1);
  ASSERT_TRUE(store_->Put(std::vector{TestOom(0, 2)}, std::nullopt).has_value());

  EXPECT_TRUE(store_->Get(TestId(0)).value().event.oom().annotations().empty());
}

}  // namespace
}  // namespace oombox
