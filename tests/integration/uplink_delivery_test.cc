// The uplink over gRPC against a collector that misbehaves: whatever it does, every event arrives,
// and an upsert by id and revision sees it once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"
#include "tests/fakes/fake_collector.h"
#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using Nonsense = FakeCollector::Nonsense;

constexpr uint64_t kEvents = 200;

class UplinkDeliveryTest : public testing::Test {
 protected:
  void Store(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number <= to; ++number) {
      store_.Insert(SampleEvent(number, node_));
    }
  }

  void Start(std::vector<std::string> collectors) {
    Uplink::Options options;
    options.collectors = std::move(collectors);
    options.session.node = node_;
    options.session.report = [this] {
      v1::NodeReport report = SampleReport(node_);
      report.set_collector(uplink_->status().connected_to);
      return report;
    };
    options.pause = [this](const std::stop_token&, std::chrono::milliseconds) {
      ++pauses_;
      std::this_thread::yield();
    };
    uplink_.emplace(store_, transport_, std::move(options));
    uplink_->Start();
  }
  void Start() { Start({address_}); }

  // Five events, of which the collector refuses the third.
  void DeliverAllButTheThird(FakeCollector& collector) {
    collector.Reject(SampleId(3));
    Store(1, 5);
    Start();
    ASSERT_TRUE(collector.Await([&] { return collector.events.contains(SampleId(5)); }));
    ASSERT_TRUE(AwaitAcknowledged());
  }

  // Every event is at the collector, and the store knows it.
  bool AwaitAll(FakeCollector& collector) {
    return collector.Await([&] { return collector.events == store_.Revisions(); }) &&
           AwaitAcknowledged();
  }
  bool AwaitAcknowledged() {
    return Await([&] { return store_.Acknowledged()->second >= store_.Stats()->last_seq; });
  }
  void AwaitPauses(int count) {
    ASSERT_TRUE(Await([&] { return pauses_ >= count; }));
  }
  static bool Await(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }

  TempDir dir_;
  const std::string address_ = "unix:" + dir_.File("collector.sock");
  const v1::NodeIdentity node_ = SampleNode("node-1");
  FakeEventStore store_{"agent-store"};
  GrpcTransport transport_{{}};
  std::atomic<int> pauses_ = 0;
  std::optional<Uplink> uplink_;  // stopped first
};

TEST_F(UplinkDeliveryTest, DeliversWhatIsStoredAndWhatComesLater) {
  FakeCollector collector(address_);
  Store(1, kEvents / 2);
  Start();
  ASSERT_TRUE(AwaitAll(collector));

  Store(kEvents / 2 + 1, kEvents);

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_EQ(collector.events_received, kEvents);
  EXPECT_EQ(uplink_->status().connected_to, address_);
  EXPECT_EQ(uplink_->status().connects, 1u);
}

TEST_F(UplinkDeliveryTest, DeliversARevisionOfWhatWasDelivered) {
  FakeCollector collector(address_);
  Store(1, 1);
  Start();
  ASSERT_TRUE(AwaitAll(collector));

  store_.Insert(SampleEvent(1, node_, 2));

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_EQ(collector.events.at(SampleId(1)), 2u);
}

TEST_F(UplinkDeliveryTest, SurvivesStreamsThatBreakAgainAndAgain) {
  FakeCollector collector(address_);
  collector.DropAfter(7, 20);
  Store(1, kEvents);
  Start();

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_GE(uplink_->status().connects, 20u);
}

TEST_F(UplinkDeliveryTest, SurvivesRefusals) {
  FakeCollector collector(address_);
  collector.RefuseStreams(5);
  Store(1, kEvents);
  Start();

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_EQ(collector.hellos.size(), 6u);
  EXPECT_EQ(pauses_, 5);
  EXPECT_THAT(uplink_->status().last_error, testing::HasSubstr("told to refuse"));
}

TEST_F(UplinkDeliveryTest, SendsNoMoreThanItsWindowWhileAcknowledgementsAreLate) {
  FakeCollector collector(address_);
  collector.HoldAcks();
  Store(1, kEvents);
  Start();
  ASSERT_TRUE(collector.Await([&] { return collector.events.size() == 64; }));
  EXPECT_EQ(store_.Acknowledged()->second, 0u);

  collector.ReleaseAcks();

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_LE(collector.most_unacknowledged, 64u);
}

TEST_F(UplinkDeliveryTest, BelievesNoNonsenseAndDeliversWhenItEnds) {
  FakeCollector collector(address_);
  collector.Say({Nonsense::kAckBeyondSent, Nonsense::kAckOfAnotherStore, Nonsense::kAckWithoutEpoch,
                 Nonsense::kQueryBeforeGreeting});
  Store(1, kEvents);
  Start();

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_EQ(pauses_, 4);
}

TEST_F(UplinkDeliveryTest, SendsAllAgainWhenTheCollectorsStoreIsReplaced) {
  FakeCollector collector(address_);
  Store(1, kEvents);
  Start();
  ASSERT_TRUE(AwaitAll(collector));

  collector.ReplaceStore("collector-2");
  Store(kEvents + 1, kEvents + 1);

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_EQ(collector.events.size(), kEvents + 1);
  EXPECT_EQ(store_.Acknowledged()->first, "collector-2");
}

TEST_F(UplinkDeliveryTest, SendsAllAgainWhenTheCollectorComesBackWithAnotherStore) {
  FakeCollector collector(address_);
  Store(1, kEvents);
  Start();
  ASSERT_TRUE(AwaitAll(collector));

  collector.Stop();
  collector.ReplaceStore("collector-2");
  collector.Serve();

  ASSERT_TRUE(AwaitAll(collector));
}

TEST_F(UplinkDeliveryTest, TheFirstReportNamesTheCollector) {
  FakeCollector collector(address_);
  Start();

  std::string named;
  ASSERT_TRUE(collector.Await([&] {
    named = collector.reports.empty() ? "" : collector.reports[0].collector();
    return !collector.reports.empty();
  }));
  EXPECT_EQ(named, address_);
}

TEST_F(UplinkDeliveryTest, ARejectedEventDoesNotBlockTheOthers) {
  FakeCollector collector(address_);

  ASSERT_NO_FATAL_FAILURE(DeliverAllButTheThird(collector));

  uplink_->Stop();
  EXPECT_FALSE(collector.events.contains(SampleId(3)));
  EXPECT_EQ(uplink_->status().events.rejected, 1u);
  EXPECT_EQ(store_.Stats()->refused, 1u);
}

TEST_F(UplinkDeliveryTest, WhatWasRefusedIsOfferedToAnotherVersion) {
  FakeCollector collector(address_);
  ASSERT_NO_FATAL_FAILURE(DeliverAllButTheThird(collector));
  EXPECT_EQ(store_.Stats()->refused, 1u);
  collector.Stop();
  collector.Upgrade();

  collector.Serve();

  ASSERT_TRUE(collector.Await([&] { return collector.events.contains(SampleId(3)); }));
  ASSERT_TRUE(AwaitAcknowledged());
  uplink_->Stop();
  EXPECT_EQ(collector.events_received, 6u);
  EXPECT_EQ(store_.Stats()->refused, 0u);
}

TEST_F(UplinkDeliveryTest, WaitsForACollectorThatIsAbsent) {
  Store(1, kEvents);
  Start();
  AwaitPauses(3);
  EXPECT_EQ(uplink_->status().connected_to, "");
  EXPECT_NE(uplink_->status().last_error, "");

  FakeCollector collector(address_);

  ASSERT_TRUE(AwaitAll(collector));
}

TEST_F(UplinkDeliveryTest, WithoutAnythingToSendAnAbsentCollectorIsNoStall) {
  Start();
  AwaitPauses(3);
  EXPECT_EQ(uplink_->status().stalled_boottime_ns, 0u);

  Store(1, 1);

  AwaitPauses(pauses_ + 2);
  EXPECT_NE(uplink_->status().stalled_boottime_ns, 0u);
}

TEST_F(UplinkDeliveryTest, AStallLastsThroughGreetingsAndEndsWithAnAcknowledgement) {
  FakeCollector collector(address_);
  collector.HoldAcks();
  collector.DropAfter(1, 5);
  Store(1, kEvents);
  Start();
  AwaitPauses(2);
  const uint64_t begin = uplink_->status().stalled_boottime_ns;
  EXPECT_NE(begin, 0u);
  AwaitPauses(5);
  EXPECT_GE(uplink_->status().connects, 5u);
  EXPECT_EQ(uplink_->status().stalled_boottime_ns, begin);

  collector.ReleaseAcks();

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_TRUE(Await([&] { return uplink_->status().stalled_boottime_ns == 0; }));
}

TEST_F(UplinkDeliveryTest, AGreetingEndsTheStallOfEventsThatNobodyWaitsForAnyMore) {
  Store(1, 1);
  Start();
  AwaitPauses(2);
  ASSERT_NE(uplink_->status().stalled_boottime_ns, 0u);
  ASSERT_TRUE(
      store_.Acknowledge("collector-1", 1, {}));  // by a stream whose answer was the last of it

  FakeCollector collector(address_);

  ASSERT_TRUE(collector.Await([&] { return collector.reports.size() == 1; }));
  EXPECT_TRUE(Await([&] { return uplink_->status().stalled_boottime_ns == 0; }));
}

TEST_F(UplinkDeliveryTest, TriesTheNextAddressWhenOneIsAbsent) {
  FakeCollector collector(address_);
  Store(1, kEvents);
  Start({"unix:" + dir_.File("absent.sock"), address_});

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_EQ(uplink_->status().connected_to, address_);
}

TEST_F(UplinkDeliveryTest, TriesTheNextAddressWhenOneCannotBeUsed) {
  FakeCollector collector(address_);
  Store(1, 1);
  Start({"collector.example:5137", address_});

  ASSERT_TRUE(AwaitAll(collector));
  EXPECT_THAT(uplink_->status().last_error, testing::HasSubstr("--insecure"));
}

TEST_F(UplinkDeliveryTest, ReportsAndAnswersQuestions) {
  FakeCollector collector(address_);
  Start();
  ASSERT_TRUE(collector.Await([&] { return collector.reports.size() == 1; }));

  collector.AskReport(41);
  collector.AskUnknown(42);

  ASSERT_TRUE(collector.Await([&] { return collector.answers.size() == 2; }));
  EXPECT_EQ(collector.answers[0].query_id(), 41u);
  EXPECT_TRUE(collector.answers[0].has_report());
  EXPECT_EQ(collector.answers[1].query_id(), 42u);
  EXPECT_NE(collector.answers[1].error(), "");
}

TEST_F(UplinkDeliveryTest, StopEndsTheStreamInGoodOrder) {
  FakeCollector collector(address_);
  Store(1, kEvents);
  Start();
  ASSERT_TRUE(AwaitAll(collector));

  uplink_->Stop();

  EXPECT_TRUE(collector.Await([&] { return collector.open_streams == 0; }));
  EXPECT_EQ(uplink_->status().connected_to, "");
}

TEST_F(UplinkDeliveryTest, StopIsBoundedWhenTheCollectorIsSilent) {
  FakeCollector collector(address_);
  collector.HoldAcks();
  Store(1, kEvents);
  Start();
  ASSERT_TRUE(collector.Await([&] { return collector.events.size() == 64; }));
  const auto begin = std::chrono::steady_clock::now();

  uplink_->Stop();

  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace oombox
