// The fake must keep the promises that the real store makes to uplink and ingest: the same tests on
// both.
#include "tests/fakes/fake_event_store.h"

#include <gtest/gtest.h>

#include "tests/fakes/sample_events.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

enum class Kind { kFake, kReal };

class StorePromisesTest : public testing::TestWithParam<Kind> {
 protected:
  StorePromisesTest() {
    if (GetParam() == Kind::kFake) {
      store_ = std::make_unique<FakeEventStore>("epoch");
    } else {
      EventStore::Options options;
      options.path = dir_.File("events.db");
      store_ = std::move(*EventStore::Open(options));
    }
  }

  void Put(uint64_t number, uint32_t revision) {
    const v1::Event event = SampleEvent(number, SampleNode("n1"), revision);
    ASSERT_TRUE(store_->Put(std::span(&event, 1), std::nullopt));
  }

  TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_P(StorePromisesTest, AHigherRevisionReplacesTheLowerUnderANewSeq) {
  Put(1, 1);
  Put(2, 1);
  Put(1, 2);

  const auto events = store_->ReadAfter(0, 10);

  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].seq, 2u);
  EXPECT_EQ((*events)[1].seq, 3u);
  EXPECT_EQ((*events)[1].event.revision(), 2u);
}

TEST_P(StorePromisesTest, ARevisionThatIsNotHigherChangesNothing) {
  Put(1, 2);
  Put(1, 2);
  Put(1, 1);

  EXPECT_EQ((*store_->ReadAfter(0, 10))[0].seq, 1u);
}

TEST_P(StorePromisesTest, ABatchWithABadEventIsRefusedAsAWhole) {
  std::vector<v1::Event> events = {SampleEvent(1, SampleNode("n1")), v1::Event()};

  const auto stored = store_->Put(events, std::nullopt);

  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(store_->ReadAfter(0, 10)->empty());
}

TEST_P(StorePromisesTest, AcknowledgementsGrowAndAreForgottenWithTheCollector) {
  Put(1, 1);
  Put(2, 1);
  ASSERT_TRUE(store_->Acknowledge("one", 2, {}));
  ASSERT_TRUE(store_->Acknowledge("one", 0, {}));
  EXPECT_EQ(store_->Acknowledged()->second, 2u);

  ASSERT_TRUE(store_->Acknowledge("two", 1, {}));

  EXPECT_EQ(store_->Acknowledged()->second, 0u);
}

TEST_P(StorePromisesTest, WhatWasRefusedIsKnownUntilAnotherVersionIsOfferedIt) {
  const std::vector<v1::Event> events{TestOom(1), TestOom(2)};
  ASSERT_TRUE(store_->Put(events, std::nullopt));
  const std::vector<std::string> refused{TestId(1), TestId(2), TestId(3)};
  ASSERT_TRUE(store_->Acknowledge("one", 1, refused));
  EXPECT_EQ(store_->Stats()->refused, 1u);  // 2 was not settled yet, 3 is nobody
  ASSERT_TRUE(store_->Acknowledge("one", 2, {}));

  ASSERT_TRUE(store_->NoteCollectorVersion("1"));

  EXPECT_EQ(store_->Stats()->refused, 0u);
  const auto again = store_->ReadAfter(2, 10);
  ASSERT_EQ(again->size(), 1u);
  EXPECT_EQ(again->front().seq, 3u);
  EXPECT_EQ(again->front().event.event_id(), TestId(1));
  EXPECT_EQ(again->front().event.revision(), 1u);
  EXPECT_EQ(store_->Stats()->last_seq, 3u);
  ASSERT_TRUE(store_->Acknowledge("one", 3, std::vector{TestId(1)}));
  ASSERT_TRUE(store_->NoteCollectorVersion("1"));
  EXPECT_EQ(store_->Stats()->refused, 1u);
  ASSERT_TRUE(store_->Put(std::vector{TestOom(4)}, std::nullopt));
  EXPECT_EQ(store_->Stats()->last_seq, 4u);
}

TEST_P(StorePromisesTest, AnotherCollectorJudgesForItself) {
  ASSERT_TRUE(store_->Put(std::vector{TestOom(1)}, std::nullopt));
  const std::vector<std::string> refused{TestId(1)};
  ASSERT_TRUE(store_->Acknowledge("one", 1, refused));

  ASSERT_TRUE(store_->Acknowledge("two", 0, {}));

  EXPECT_EQ(store_->Stats()->refused, 0u);
}

TEST_P(StorePromisesTest, WhatWasNeverGivenOutCannotBeAcknowledged) {
  Put(1, 1);

  EXPECT_FALSE(store_->Acknowledge("one", 2, {}));
}

TEST_P(StorePromisesTest, SubscribersHearOfNewRowsUntilTheyLeave) {
  int heard = 0;
  auto subscription = store_->Subscribe([&] { ++heard; });
  Put(1, 1);
  EXPECT_EQ(heard, 1);

  subscription.reset();
  Put(2, 1);

  EXPECT_EQ(heard, 1);
}

INSTANTIATE_TEST_SUITE_P(Both, StorePromisesTest, testing::Values(Kind::kFake, Kind::kReal));

}  // namespace
}  // namespace oombox
