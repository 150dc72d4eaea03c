#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/collector/fixture.h"

namespace oombox {
namespace {

using testing::HasSubstr;

class IngestTest : public IngestFixture {};

TEST_F(IngestTest, GreetsWithAnAcknowledgementOfNothingThatTellsWhoseStoreItIs) {
  const auto agent = Connect("n1");

  const auto written = agent->written();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].ack().seq(), 0u);
  EXPECT_EQ(written[0].ack().store_epoch(), "epoch of n1");
  EXPECT_EQ(written[0].ack().collector_epoch(), "collector-store");
}

TEST_F(IngestTest, AcknowledgesOnlyAfterTheCommit) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  store_.HoldPuts();
  ASSERT_TRUE(agent->Give(Event("n1", 5, 1)));
  store_.AwaitHeldPut();
  EXPECT_EQ(agent->written().size(), 1u);

  store_.LetPutsPass();

  EXPECT_EQ(agent->AwaitAck(5), 5u);
  EXPECT_TRUE(store_.Revisions().contains(SampleId(1)));
}

TEST_F(IngestTest, AcknowledgesTheHighestOfAllThatWasCommitted) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  for (uint64_t seq = 1; seq <= 200; ++seq) {
    ASSERT_TRUE(agent->AwaitReading());
    ASSERT_TRUE(agent->Give(Event("n1", 2 * seq, seq)));
  }

  EXPECT_EQ(agent->AwaitAck(400), 400u);
  EXPECT_EQ(store_.Revisions().size(), 200u);
}

TEST_F(IngestTest, CommitsManyAgentsTogetherAndAcknowledgesEachItsOwn) {
  const auto one = Connect("n1");
  const auto two = Connect("n2");
  one->CompleteWrite();
  two->CompleteWrite();
  store_.HoldPuts();
  one->Give(Event("n1", 1, 1));
  store_.AwaitHeldPut();
  for (uint64_t seq = 2; seq <= 9; ++seq) {
    ASSERT_TRUE(one->Give(Event("n1", seq, seq)));
    ASSERT_TRUE(two->Give(Event("n2", 100 + seq, 100 + seq)));
  }

  store_.LetPutsPass();

  EXPECT_EQ(one->AwaitAck(9), 9u);
  EXPECT_EQ(two->AwaitAck(109), 109u);
  EXPECT_EQ(store_.puts(), 2u);
  EXPECT_EQ(store_.max_batch(), 16u);
}

TEST_F(IngestTest, StopsReadingWhileTheStoreIsSlowAndGoesOnAfterwards) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  store_.HoldPuts();
  uint64_t given = 0;
  while (agent->Give(Event("n1", given + 1, given + 1))) {
    ++given;
  }
  EXPECT_EQ(given, AgentLink::kMaxEvents);

  store_.LetPutsPass();

  EXPECT_TRUE(agent->AwaitReading());
  EXPECT_EQ(agent->AwaitAck(given), given);
}

TEST_F(IngestTest, StopsReadingWhenTheBytesAreTooMany) {
  const auto agent = Connect("n1");
  store_.HoldPuts();
  uint64_t given = 0;
  while (true) {
    v1::IngestRequest request = Event("n1", given + 1, given + 1);
    request.mutable_event()->mutable_event()->mutable_oom()->mutable_victims(0)->set_cmdline(
        std::string(200 << 10, 'x'));
    if (!agent->Give(std::move(request))) {
      break;
    }
    ++given;
  }
  EXPECT_EQ(given, 6u);
  store_.LetPutsPass();
}

TEST_F(IngestTest, RefusesAStreamThatDoesNotBeginWithHello) {
  const auto agent = Open();

  agent->Give(Event("n1", 1, 1));

  const Status end = agent->AwaitFinish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(end.error().message, HasSubstr("hello"));
  EXPECT_FALSE(agent->reading());
}

TEST_F(IngestTest, RefusesASecondHello) {
  const auto agent = Connect("n1");

  agent->Give(Hello("n1"));

  EXPECT_FALSE(agent->AwaitFinish());
}

TEST_F(IngestTest, RefusesHellosThatCannotBeUsed) {
  for (const auto& spoil : std::vector<std::function<void(v1::Hello&)>>{
           [](v1::Hello& hello) { hello.mutable_node()->clear_node_name(); },
           [](v1::Hello& hello) { hello.mutable_node()->set_node_name(std::string(254, 'n')); },
           [](v1::Hello& hello) { hello.mutable_node()->set_node_name("a\x1b[2Jb"); },
           [](v1::Hello& hello) { hello.mutable_node()->set_cluster_name("a\nb"); },
           [](v1::Hello& hello) { hello.clear_store_epoch(); },
           [](v1::Hello& hello) { hello.set_store_epoch(std::string(65, 'e')); },
           [](v1::Hello& hello) { hello.set_agent_version(std::string(65, 'v')); },
       }) {
    v1::IngestRequest request = Hello("n1");
    spoil(*request.mutable_hello());
    const auto agent = Open();

    agent->Give(request);

    const Status end = agent->AwaitFinish();
    ASSERT_FALSE(end) << request.ShortDebugString();
    EXPECT_EQ(end.error().code, ErrorCode::kInvalid) << request.ShortDebugString();
  }
}

TEST_F(IngestTest, RefusesASeqThatDoesNotGrow) {
  const auto agent = Connect("n1");
  ASSERT_TRUE(agent->Give(Event("n1", 7, 1)));
  ASSERT_TRUE(agent->AwaitReading());

  agent->Give(Event("n1", 7, 2));

  EXPECT_FALSE(agent->AwaitFinish());
}

TEST_F(IngestTest, RefusesAnEventOfAnotherStoreThanTheHelloSaid) {
  const auto agent = Connect("n1");

  agent->Give(Event("n2", 1, 1));

  EXPECT_FALSE(agent->AwaitFinish());
  EXPECT_TRUE(store_.Revisions().empty());
}

TEST_F(IngestTest, RejectsABadEventAloneAndAcknowledgesTheOthers) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  v1::IngestRequest too_big = Event("n1", 2, 2);
  too_big.mutable_event()->mutable_event()->mutable_oom()->mutable_victims(0)->set_cmdline(
      std::string(kMaxEventBytes, 'x'));
  v1::IngestRequest bad_id = Event("n1", 3, 3);
  bad_id.mutable_event()->mutable_event()->set_event_id("LOUD");
  v1::IngestRequest bodiless = Event("n1", 4, 4);
  bodiless.mutable_event()->mutable_event()->clear_oom();
  v1::IngestRequest loud = Event("n1", 5, 5);
  loud.mutable_event()->mutable_event()->mutable_oom()->mutable_trigger()->set_comm("a\x1b[2J");
  v1::IngestRequest timeless = Event("n1", 6, 6);
  timeless.mutable_event()->mutable_event()->mutable_event_time()->set_seconds(int64_t{1} << 60);
  store_.HoldPuts();

  for (const v1::IngestRequest& request :
       {Event("n1", 1, 1), too_big, bad_id, bodiless, loud, timeless, Event("n1", 7, 7)}) {
    ASSERT_TRUE(agent->Give(request));
  }
  store_.LetPutsPass();

  EXPECT_EQ(agent->AwaitAck(7), 7u);
  EXPECT_EQ(store_.Revisions().size(), 2u);
  const auto rejected = agent->rejected();
  ASSERT_EQ(rejected.size(), 5u);
  EXPECT_EQ(rejected[0].event_id(), SampleId(2));
  EXPECT_THAT(rejected[0].reason(), HasSubstr("bytes"));
  EXPECT_THAT(rejected[3].reason(), HasSubstr("printable"));
  EXPECT_THAT(rejected[4].reason(), HasSubstr("event_time"));
}

TEST_F(IngestTest, TakesEventsFromBeforeTheNodeWasRenamed) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  v1::IngestRequest earlier = Event("n1", 1, 1);
  *earlier.mutable_event()->mutable_event()->mutable_node() = SampleNode("old-name");

  agent->Give(earlier);

  EXPECT_EQ(agent->AwaitAck(1), 1u);
  EXPECT_EQ(store_.Revisions().size(), 1u);
  EXPECT_TRUE(agent->rejected().empty());
}

TEST_F(IngestTest, TakesEventsFromBeforeTheClusterHadAName) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  v1::IngestRequest request = Event("n1", 1, 1);
  request.mutable_event()->mutable_event()->mutable_node()->clear_cluster_name();

  agent->Give(request);

  EXPECT_EQ(agent->AwaitAck(1), 1u);
  EXPECT_THAT(agent->rejected(), testing::IsEmpty());
}

TEST_F(IngestTest, AnEventTheStoreDoesNotTakeIsRejectedAlone) {
  store_.Refuse(SampleId(2));
  const auto one = Connect("n1");
  const auto two = Connect("n2");
  one->CompleteWrite();
  two->CompleteWrite();
  store_.HoldPuts();
  one->Give(Event("n1", 1, 1));
  one->Give(Event("n1", 2, 2));
  two->Give(Event("n2", 3, 3));

  store_.LetPutsPass();

  EXPECT_EQ(one->AwaitAck(2), 2u);
  EXPECT_EQ(two->AwaitAck(3), 3u);
  ASSERT_EQ(one->rejected().size(), 1u);
  EXPECT_EQ(one->rejected()[0].event_id(), SampleId(2));
  EXPECT_EQ(store_.Revisions().size(), 2u);
}

TEST_F(IngestTest, EndsTheStreamWithoutAcknowledgingWhenTheStoreFails) {
  const auto agent = Connect("n1");
  store_.FailWith(Error{ErrorCode::kExhausted, "disk full", 0});

  agent->Give(Event("n1", 1, 1));

  const Status end = agent->AwaitFinish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(end.error().message, HasSubstr("disk full"));
  EXPECT_EQ(agent->written().size(), 1u);
}

TEST_F(IngestTest, TakesAgentsAgainAfterTheStoreHasFailed) {
  store_.FailWith(Error{ErrorCode::kExhausted, "disk full", 0});
  auto agent = Connect("n1");
  agent->Give(Event("n1", 1, 1));
  EXPECT_FALSE(agent->AwaitFinish());
  store_.FailWith(std::nullopt);

  agent = Connect("n1");
  agent->CompleteWrite();
  agent->Give(Event("n1", 1, 1));

  EXPECT_EQ(agent->AwaitAck(1), 1u);
}

TEST_F(IngestTest, ANewerStreamOfTheSameNodeReplacesTheOlder) {
  const auto older = Connect("n1");
  const auto newer = Connect("n1");

  EXPECT_FALSE(older->AwaitFinish());
  newer->CompleteWrite();
  ASSERT_TRUE(newer->Give(Event("n1", 1, 1)));
  EXPECT_EQ(newer->AwaitAck(1), 1u);
}

TEST_F(IngestTest, ANodeStaysConnectedWhenItsOlderStreamIsGone) {
  auto older = Connect("n1");
  const auto newer = Connect("n1");

  older.reset();

  EXPECT_TRUE(hub_->registry().Connected(SampleNode("n1")));
}

TEST_F(IngestTest, RefusesMoreAgentsThanAllowed) {
  NewHub(2);
  const auto one = Connect("n1");
  const auto two = Connect("n2");

  const auto three = Connect("n3");

  const Status end = three->AwaitFinish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(three->written().empty());
}

TEST_F(IngestTest, TakesAnotherAgentWhenOneHasLeft) {
  NewHub(1);
  auto one = Connect("n1");
  one.reset();

  const auto two = Connect("n2");

  EXPECT_EQ(two->written().size(), 1u);
}

TEST_F(IngestTest, BoundsStreamsThatNeverIntroduceThemselves) {
  NewHub(1);
  std::vector<std::unique_ptr<FakeAgentStream>> silent;
  while (auto stream = Open()) {
    silent.push_back(std::move(stream));
    ASSERT_LT(silent.size(), 1000u);
  }

  silent.pop_back();

  EXPECT_NE(Open(), nullptr);
}

TEST_F(IngestTest, CommitsAndAcknowledgesWhatCameBeforeTheEndOfTheStream) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  store_.HoldPuts();
  ASSERT_TRUE(agent->Give(Event("n1", 1, 1)));
  store_.AwaitHeldPut();

  agent->HalfClose();
  store_.LetPutsPass();

  EXPECT_EQ(agent->AwaitAck(1), 1u);
  EXPECT_TRUE(agent->AwaitFinish());
}

TEST_F(IngestTest, StoresReports) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  ASSERT_TRUE(agent->Give(Report("n1")));
  ASSERT_TRUE(agent->AwaitReading());
  // A later event is written after the report.
  ASSERT_TRUE(agent->Give(Event("n1", 1, 1)));
  ASSERT_TRUE(agent->AwaitReading());
  ASSERT_TRUE(agent->AwaitAck(1));
  hub_->Stop();

  const auto reports = store_.Reports();

  ASSERT_EQ(reports->size(), 1u);
  EXPECT_EQ((*reports)[0].received_wall_ns, kStartNs);
}

TEST_F(IngestTest, LeavesAnOversizedReportOutAndTakesTheEventsOn) {
  const auto agent = Connect("n1");
  v1::IngestRequest big = Report("n1");
  for (int i = 0; i < 2000; ++i) {
    big.mutable_report()->add_containers()->set_cgroup_path(std::string(1000, 'x'));
  }

  agent->CompleteWrite();
  ASSERT_TRUE(agent->Give(big));
  ASSERT_TRUE(agent->AwaitReading());
  ASSERT_TRUE(agent->Give(Event("n1", 1, 1)));
  ASSERT_TRUE(agent->AwaitReading());
  ASSERT_TRUE(agent->AwaitAck(1));
  hub_->Stop();

  EXPECT_TRUE(store_.Reports()->empty());
}

TEST_F(IngestTest, LeavesAReportOutThatCannotBeUsedAndTakesTheEventsOn) {
  const auto agent = Connect("n1");
  v1::IngestRequest timeless = Report("n1");
  timeless.mutable_report()->mutable_report_time()->set_seconds(-1);

  agent->CompleteWrite();
  ASSERT_TRUE(agent->Give(timeless));
  ASSERT_TRUE(agent->AwaitReading());
  ASSERT_TRUE(agent->Give(Event("n1", 1, 1)));
  ASSERT_TRUE(agent->AwaitAck(1));
  hub_->Stop();

  EXPECT_TRUE(store_.Reports()->empty());
}

TEST_F(IngestTest, RefusesAReportOfAnotherNode) {
  const auto agent = Connect("n1");

  agent->Give(Report("n2"));

  EXPECT_FALSE(agent->AwaitFinish());
}

TEST_F(IngestTest, StopTellsEveryAgent) {
  const auto agent = Connect("n1");

  hub_->Stop();

  const Status end = agent->AwaitFinish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().message, "the collector is stopping");
}

TEST_F(IngestTest, TakesNobodyAfterStop) {
  const auto silent = Open();

  hub_->Stop();
  silent->Give(Hello("n1"));

  EXPECT_FALSE(silent->AwaitFinish());
  EXPECT_EQ(Open(), nullptr);
}

}  // namespace
}  // namespace oombox
