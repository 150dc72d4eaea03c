#include "agent/uplink/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"

namespace oombox {
namespace {

using std::chrono::seconds;

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    options_.node = node_;
    options_.agent_version = "1.2.3";
    options_.report = [this] {
      ++reports_made_;
      return SampleReport(node_);
    };
    NewSession();
  }

  void NewSession() { session_.emplace(store_, options_, counts_, now_); }

  // The next message; an empty one when there is nothing to say.
  v1::IngestRequest Next() {
    auto next = session_->Next(now_);
    EXPECT_TRUE(next.has_value()) << next.error().message;
    return next && *next ? **next : v1::IngestRequest();
  }

  v1::IngestResponse AckOf(uint64_t seq, const std::string& epoch = "collector") const {
    v1::IngestResponse response;
    response.mutable_ack()->set_store_epoch(store_.epoch());
    response.mutable_ack()->set_seq(seq);
    response.mutable_ack()->set_collector_epoch(epoch);
    return response;
  }

  Status Ack(uint64_t seq, const std::string& epoch = "collector") {
    return session_->Receive(AckOf(seq, epoch), now_);
  }

  // Hello, greeting and the report that follows it.
  void Connect() {
    Next();
    ASSERT_TRUE(Ack(0));
    ASSERT_TRUE(Next().has_report());
  }

  std::vector<uint64_t> SendAll() {
    std::vector<uint64_t> seqs;
    for (v1::IngestRequest next = Next(); next.has_event(); next = Next()) {
      seqs.push_back(next.event().seq());
    }
    return seqs;
  }

  void Store(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number <= to; ++number) {
      store_.Insert(SampleEvent(number, node_));
    }
  }

  uint64_t AcknowledgedInStore() { return store_.Acknowledged()->second; }

  const v1::NodeIdentity node_ = SampleNode("node-1");
  FakeEventStore store_{"agent-store"};
  Session::Options options_;
  DeliveryCounts counts_;
  Session::Clock::time_point now_{};
  int reports_made_ = 0;
  std::optional<Session> session_;
};

TEST_F(SessionTest, BeginsWithHello) {
  const v1::IngestRequest first = Next();

  ASSERT_TRUE(first.has_hello());
  EXPECT_EQ(first.hello().node().node_name(), "node-1");
  EXPECT_EQ(first.hello().agent_version(), "1.2.3");
  EXPECT_EQ(first.hello().store_epoch(), "agent-store");
}

TEST_F(SessionTest, SaysNothingMoreBeforeTheGreeting) {
  Store(1, 3);
  Next();

  EXPECT_EQ(Next().message_case(), v1::IngestRequest::MESSAGE_NOT_SET);
}

TEST_F(SessionTest, IsOverdueWhenNoGreetingComes) {
  Next();
  EXPECT_TRUE(session_->CheckOverdue(now_ + seconds(19)));

  EXPECT_FALSE(session_->CheckOverdue(now_ + seconds(20)));
  EXPECT_EQ(session_->Deadline(false), now_ + seconds(20));
}

TEST_F(SessionTest, IsOverdueWhenNothingIsAcknowledgedForAMinute) {
  Store(1, 3);
  Connect();
  now_ += seconds(5);
  SendAll();

  EXPECT_TRUE(session_->CheckOverdue(now_ + seconds(59)));
  EXPECT_FALSE(session_->CheckOverdue(now_ + seconds(60)));
  EXPECT_EQ(session_->Deadline(false), now_ + seconds(60));
}

TEST_F(SessionTest, SendsEventsInOrderAndNoneTwice) {
  Store(1, 20);
  Connect();

  EXPECT_THAT(SendAll(), testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
                                              17, 18, 19, 20));
  EXPECT_THAT(SendAll(), testing::IsEmpty());
}

TEST_F(SessionTest, KeepsALimitedNumberInFlight) {
  Store(1, 100);
  Connect();
  EXPECT_EQ(SendAll().size(), 64u);

  ASSERT_TRUE(Ack(10));

  EXPECT_EQ(SendAll().size(), 10u);
  EXPECT_EQ(counts_.acknowledged, 10u);
}

TEST_F(SessionTest, KeepsALimitedNumberOfBytesInFlight) {
  for (uint64_t number = 1; number <= 10; ++number) {
    v1::Event event = SampleEvent(number, node_);
    event.mutable_oom()->mutable_victims(0)->set_cmdline(std::string(200 << 10, 'x'));
    store_.Insert(event);
  }
  Connect();

  EXPECT_EQ(SendAll().size(), 5u);
}

TEST_F(SessionTest, TellsTheStoreWhatIsAcknowledged) {
  Store(1, 3);
  Connect();
  SendAll();

  ASSERT_TRUE(Ack(2));

  EXPECT_EQ(AcknowledgedInStore(), 2u);
  EXPECT_TRUE(session_->progressed());
}

TEST_F(SessionTest, GoesOnAfterWhatTheSameCollectorHasAcknowledged) {
  Store(1, 3);
  Connect();
  SendAll();
  ASSERT_TRUE(Ack(2));

  NewSession();
  Connect();

  EXPECT_THAT(SendAll(), testing::ElementsAre(3));
}

TEST_F(SessionTest, SendsAllThatIsKeptToACollectorWithAnotherStore) {
  Store(1, 3);
  Connect();
  SendAll();
  ASSERT_TRUE(Ack(3));

  NewSession();
  Next();
  ASSERT_TRUE(Ack(0, "new collector"));
  Next();

  EXPECT_THAT(SendAll(), testing::ElementsAre(1, 2, 3));
}

TEST_F(SessionTest, EndsWhenTheCollectorsStoreChangesAndForgetsWhatTheOldOneHad) {
  Store(1, 3);
  Connect();
  SendAll();
  ASSERT_TRUE(Ack(2));

  EXPECT_FALSE(Ack(3, "new collector"));

  EXPECT_EQ(AcknowledgedInStore(), 0u);
}

TEST_F(SessionTest, RefusesAnAcknowledgementOfWhatWasNeverSent) {
  Store(1, 3);
  Connect();
  SendAll();

  const Status status = Ack(4);

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(AcknowledgedInStore(), 0u);
}

TEST_F(SessionTest, RefusesAnAcknowledgementOfAnotherStore) {
  Store(1, 1);
  Connect();
  SendAll();
  v1::IngestResponse response;
  response.mutable_ack()->set_store_epoch("other");
  response.mutable_ack()->set_collector_epoch("collector");
  response.mutable_ack()->set_seq(1);

  EXPECT_FALSE(session_->Receive(response, now_));
  EXPECT_EQ(AcknowledgedInStore(), 0u);
}

TEST_F(SessionTest, RefusesAGreetingThatAcknowledgesSomething) {
  Store(1, 3);
  Next();

  EXPECT_FALSE(Ack(1));
}

TEST_F(SessionTest, RefusesACollectorWithoutIdentity) {
  Next();

  EXPECT_FALSE(Ack(0, ""));
  EXPECT_FALSE(Ack(0, std::string(65, 'x')));
  EXPECT_FALSE(Ack(0, "a\nb"));
}

TEST_F(SessionTest, CountsWhatTheCollectorRejectsAndGoesOn) {
  Store(1, 2);
  Connect();
  SendAll();
  v1::IngestResponse response = AckOf(2);
  response.mutable_ack()->add_rejected()->set_event_id(SampleId(1));

  ASSERT_TRUE(session_->Receive(response, now_));

  EXPECT_EQ(counts_.rejected, 1u);
  EXPECT_EQ(counts_.acknowledged, 1u);
  EXPECT_EQ(AcknowledgedInStore(), 2u);
  EXPECT_EQ(store_.Stats()->refused, 1u);
}

TEST_F(SessionTest, ACollectorCannotRefuseMoreThanItSettles) {
  Store(1, 2);
  Connect();
  SendAll();
  v1::IngestResponse response = AckOf(1);
  response.mutable_ack()->add_rejected()->set_event_id(SampleId(1));
  response.mutable_ack()->add_rejected()->set_event_id(SampleId(2));

  const Status received = session_->Receive(response, now_);

  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(store_.Stats()->refused, 0u);
}

TEST_F(SessionTest, SkipsAnEventThatNoCollectorWouldTake) {
  Store(1, 1);
  v1::Event huge = SampleEvent(2, node_);
  huge.mutable_oom()->mutable_victims(0)->set_cmdline(std::string(kMaxEventBytes, 'x'));
  store_.Insert(huge);
  Store(3, 3);
  Connect();

  EXPECT_THAT(SendAll(), testing::ElementsAre(1, 3));
  EXPECT_EQ(store_.Stats()->refused, 0u);  // 1 is not acknowledged yet
  ASSERT_TRUE(Ack(1));
  EXPECT_EQ(AcknowledgedInStore(), 2u);
  EXPECT_EQ(store_.Stats()->refused, 1u);
  EXPECT_EQ(counts_.rejected, 1u);
}

TEST_F(SessionTest, RowsThatDoNotParseAtTheEndAreSettled) {
  Store(1, 3);
  store_.Hide(3);
  Connect();

  EXPECT_THAT(SendAll(), testing::ElementsAre(1, 2));
  ASSERT_TRUE(Ack(2));

  EXPECT_EQ(AcknowledgedInStore(), 3u);
  Store(4, 4);
  EXPECT_THAT(SendAll(), testing::ElementsAre(4));
}

TEST_F(SessionTest, AVersionIsShortAndPrintable) {
  for (const std::string& version : {std::string(65, 'x'), std::string("a\nb")}) {
    NewSession();
    (void)Next();
    v1::IngestResponse response = AckOf(0);
    response.mutable_ack()->set_collector_version(version);
    const Status received = session_->Receive(response, now_);
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(SessionTest, ReportsAtOnceAndThenAtEachInterval) {
  Connect();
  EXPECT_EQ(Next().message_case(), v1::IngestRequest::MESSAGE_NOT_SET);
  EXPECT_EQ(session_->Deadline(true), now_ + seconds(10));

  now_ += seconds(10);

  EXPECT_TRUE(Next().has_report());
  EXPECT_EQ(Next().message_case(), v1::IngestRequest::MESSAGE_NOT_SET);
  EXPECT_EQ(reports_made_, 2);
}

TEST_F(SessionTest, ReportsAlthoughEventsNeverEnd) {
  Store(1, 100);
  Connect();
  Next();

  now_ += seconds(10);

  EXPECT_TRUE(Next().has_report());
}

TEST_F(SessionTest, AnswersAReportQueryBeforeAnythingElse) {
  Store(1, 1);
  Connect();
  v1::IngestResponse response;
  response.mutable_query()->set_query_id(7);
  response.mutable_query()->mutable_report();

  ASSERT_TRUE(session_->Receive(response, now_));
  const v1::IngestRequest answer = Next();

  ASSERT_TRUE(answer.has_query_result());
  EXPECT_EQ(answer.query_result().query_id(), 7u);
  EXPECT_EQ(answer.query_result().report().node().node_name(), "node-1");
}

TEST_F(SessionTest, SaysSoWhenItDoesNotKnowAQuestion) {
  Connect();
  v1::IngestResponse response;
  response.mutable_query()->set_query_id(8);

  ASSERT_TRUE(session_->Receive(response, now_));

  EXPECT_FALSE(Next().query_result().error().empty());
}

TEST_F(SessionTest, TakesNoMoreQuestionsWhileAnswersWait) {
  Connect();
  v1::IngestResponse response;
  response.mutable_query()->mutable_report();
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(session_->CanReceive());
    ASSERT_TRUE(session_->Receive(response, now_));
  }
  EXPECT_FALSE(session_->CanReceive());

  Next();

  EXPECT_TRUE(session_->CanReceive());
}

TEST_F(SessionTest, EndsWhenTheStoreCannotBeRead) {
  Store(1, 1);
  Connect();
  store_.FailWith(Error{ErrorCode::kUnavailable, "disk is gone", 0});

  EXPECT_FALSE(session_->Next(now_));
}

TEST_F(SessionTest, IgnoresWhatANewerCollectorSays) {
  Connect();

  EXPECT_TRUE(session_->Receive(v1::IngestResponse(), now_));
}

}  // namespace
}  // namespace oombox
