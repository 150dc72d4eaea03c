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
