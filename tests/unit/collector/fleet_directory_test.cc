#include "tools/collector/fleet_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/collector/fixture.h"

namespace oombox {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kDayNs = 86'400 * kSecondNs;

class FleetDirectoryTest : public IngestFixture {
 protected:
  FleetDirectoryTest() : directory_(store_, *hub_, [this] { return now_ns_.load(); }) {}

  // As the writer does.
  Status PutReport(const v1::NodeReport& report, int64_t received_wall_ns) {
    const std::vector<EventStore::StoredReport> reports{{report, received_wall_ns}};
    OOMBOX_RETURN_IF_ERROR(store_.PutReports(reports));
    hub_->coverage().Load(reports);
    return {};
  }

  // The id of the question the link has written.
  uint64_t AwaitQuery(FakeAgentStream& agent) {
    while (true) {
      for (const v1::IngestResponse& response : agent.written()) {
        if (response.has_query()) {
          return response.query().query_id();
        }
      }
      agent.CompleteWrite();
      std::this_thread::yield();
    }
  }

  static v1::IngestRequest Answer(const std::string& node, uint64_t query_id) {
    v1::IngestRequest request;
    request.mutable_query_result()->set_query_id(query_id);
    *request.mutable_query_result()->mutable_report() = SampleReport(SampleNode(node));
    request.mutable_query_result()->mutable_report()->set_agent_version("fresh");
    return request;
  }

  FleetDirectory directory_;
};

TEST_F(FleetDirectoryTest, BelievesARecentReport) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("n1")), kStartNs));
  now_ns_ += 30 * kSecondNs;

  const auto nodes = directory_.Nodes();

  ASSERT_EQ(nodes->size(), 1u);
  EXPECT_EQ((*nodes)[0].coverage().state(), v1::Coverage::STATE_COMPLETE);
  EXPECT_EQ((*nodes)[0].last_report_age().seconds(), 30);
  EXPECT_FALSE((*nodes)[0].connected());
}

TEST_F(FleetDirectoryTest, ASilentNodeIsUnknownWhateverItSaidLast) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("n1")), kStartNs));
  now_ns_ += 240 * kSecondNs;

  const auto nodes = directory_.Nodes();

  EXPECT_EQ((*nodes)[0].coverage().state(), v1::Coverage::STATE_UNKNOWN);
  EXPECT_EQ((*nodes)[0].coverage().reason(), "no report for 4 min");
}

TEST_F(FleetDirectoryTest, AReportFromTheFutureIsNotBelieved) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("n1")), kStartNs + 1));

  EXPECT_EQ((*directory_.Nodes())[0].coverage().state(), v1::Coverage::STATE_UNKNOWN);
}

TEST_F(FleetDirectoryTest, AReportWithoutCoverageIsUnknown) {
  v1::NodeReport report = SampleReport(SampleNode("n1"));
  report.clear_coverage();

  EXPECT_EQ(CoverageNow(report.coverage(), 0).state(), v1::Coverage::STATE_UNKNOWN);
}

TEST_F(FleetDirectoryTest, IsIncompleteUntilWhatANodeHasKeptIsHere) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  v1::IngestRequest report = Report("n1");
  report.mutable_report()->set_store_epoch("epoch of n1");
  report.mutable_report()->mutable_depths()->set_unacknowledged(2);
  report.mutable_report()->mutable_depths()->set_last_seq(7);
  agent->Give(report);
  while (!hub_->coverage().Contains({"test", "n1"})) {
    std::this_thread::yield();
  }
  const auto behind = directory_.Summary();
  ASSERT_EQ(behind->incomplete_nodes_size(), 1);
  EXPECT_EQ(behind->incomplete_nodes(0).coverage().state(), v1::Coverage::STATE_INCOMPLETE);
  EXPECT_EQ(behind->incomplete_nodes(0).coverage().reason(), "2 of its events are not here yet");
  EXPECT_EQ((*directory_.Nodes())[0].coverage().state(), v1::Coverage::STATE_INCOMPLETE);

  agent->Give(Event("n1", 6, 1));
  agent->Give(Event("n1", 7, 2));

  for (int i = 0; i < 2000 && directory_.Summary()->nodes_complete() == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(directory_.Summary()->nodes_complete(), 1u);
  EXPECT_EQ((*directory_.Nodes())[0].coverage().state(), v1::Coverage::STATE_COMPLETE);
}

TEST_F(FleetDirectoryTest, IsIncompleteFromTheRefusalOnUntilALaterRevisionIsTaken) {
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  v1::IngestRequest report = Report("n1");
  report.mutable_report()->set_store_epoch("epoch of n1");
  report.mutable_report()->mutable_depths()->set_unacknowledged(1);
  report.mutable_report()->mutable_depths()->set_refused(0);
  report.mutable_report()->mutable_depths()->set_last_seq(7);
  agent->Give(report);
  while (!hub_->coverage().Contains({"test", "n1"})) {
    std::this_thread::yield();
  }
  store_.Refuse(SampleId(1));
  agent->Give(Event("n1", 7, 1));
  EXPECT_EQ(agent->AwaitAck(7), 7u);

  const auto refused = directory_.Summary();
  ASSERT_EQ(refused->incomplete_nodes_size(), 1);
  EXPECT_EQ(refused->incomplete_nodes(0).coverage().reason(),
            "1 of its events were refused here and stay on the node");

  report.mutable_report()->mutable_depths()->set_unacknowledged(0);
  agent->Give(report);

  for (int i = 0; i < 2000 && directory_.Summary()->nodes_complete() == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(directory_.Summary()->nodes_complete(), 1u);
}

TEST_F(FleetDirectoryTest, OneNodeSaysNoMoreThanAListOfAll) {
  const v1::NodeReport report = SampleReport(SampleNode("n1"));
  const std::vector<EventStore::StoredReport> reports{{report, kStartNs}};
  ASSERT_TRUE(store_.PutReports(reports));  // the writer has not gone on yet

  EXPECT_EQ(directory_.Summary()->nodes_complete(), 0u);
  EXPECT_EQ((*directory_.Nodes())[0].coverage().state(), v1::Coverage::STATE_UNKNOWN);

  hub_->coverage().Load(reports);

  EXPECT_EQ(directory_.Summary()->nodes_complete(), 1u);
  EXPECT_EQ((*directory_.Nodes())[0].coverage().state(), v1::Coverage::STATE_COMPLETE);
}

TEST_F(FleetDirectoryTest, NothingIsCompleteBetweenAnEventAndItsRefusal) {
  CoverageBook book;
  v1::NodeReport report = SampleReport(SampleNode("n1"));
  report.mutable_depths()->set_unacknowledged(1);
  report.mutable_depths()->set_refused(0);
  const CoverageBook::Key key{report.node().cluster_name(), report.node().node_name()};
  std::atomic<bool> complete = false;
  std::jthread asking([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto here = book.Find(key);
      complete = complete || (here && here->state() == v1::Coverage::STATE_COMPLETE);
    }
  });
  for (uint64_t seq = 1; seq < 500'000; ++seq) {  // each is refused
    report.set_store_epoch(std::to_string(seq));  // which forgets the refusals before
    report.mutable_depths()->set_last_seq(seq);
    book.Note(report, kStartNs);
    book.NoteRefused(key, report.store_epoch(), seq);
  }
  asking.request_stop();
  asking.join();

  EXPECT_FALSE(complete);
}

TEST_F(FleetDirectoryTest, WhatWillNeverComeIsMissing) {
  v1::NodeReport report = SampleReport(SampleNode("n1"));
  report.mutable_depths()->set_evicted_unacknowledged(3);
  ASSERT_TRUE(PutReport(report, kStartNs));
  report = SampleReport(SampleNode("n2"));
  report.mutable_uplink()->set_rejected(1);
  ASSERT_TRUE(PutReport(report, kStartNs));

  const auto nodes = directory_.Nodes();

  EXPECT_THAT((*nodes)[0].coverage().reason(), HasSubstr("3 of its events were removed"));
  EXPECT_THAT((*nodes)[1].coverage().reason(), HasSubstr("1 of its events were refused"));
}

TEST_F(FleetDirectoryTest, WhatWasRemovedOnItsNodeIsToldWithItsTime) {
  v1::NodeReport report = SampleReport(SampleNode("n1"));
  report.mutable_depths()->set_evicted_unacknowledged(3);
  report.mutable_depths()->mutable_removed_until()->set_seconds(1000);
  report.mutable_depths()->set_refused(0);
  report.mutable_uplink()->set_rejected(1);  // and taken since
  ASSERT_TRUE(PutReport(report, kStartNs));
  report = SampleReport(SampleNode("n2"));
  report.mutable_depths()->mutable_removed_until()->set_seconds(900);
  ASSERT_TRUE(PutReport(report, kStartNs));
  report = SampleReport(SampleNode("n3"));
  report.mutable_depths()->mutable_removed_until()->set_seconds(1'000'000'000'000);
  ASSERT_TRUE(PutReport(report, kStartNs));
  NewHub(10);

  const auto summary = FleetDirectory(store_, *hub_, [this] { return now_ns_.load(); }).Summary();

  EXPECT_EQ(summary->nodes_complete(), 3u);
  // The third's clock is ahead.
  EXPECT_EQ(summary->removed_until().seconds(), kStartNs / kSecondNs);
}

TEST_F(FleetDirectoryTest, WhatIsGoneStaysGoneWhenItsNodeIsSilent) {
  v1::NodeReport report = SampleReport(SampleNode("n1"));
  report.mutable_depths()->mutable_removed_until()->set_seconds(1000);
  ASSERT_TRUE(PutReport(report, kStartNs));
  NewHub(10);
  now_ns_ += 240 * kSecondNs;

  const auto summary = FleetDirectory(store_, *hub_, [this] { return now_ns_.load(); }).Summary();

  EXPECT_EQ(summary->nodes_complete(), 0u);
  EXPECT_EQ(summary->removed_until().seconds(), 1000);
}

TEST_F(FleetDirectoryTest, AConnectedNodeWithoutReportIsListedAsUnknown) {
  const auto agent = Connect("n1");

  const auto nodes = directory_.Nodes();

  ASSERT_EQ(nodes->size(), 1u);
  EXPECT_TRUE((*nodes)[0].connected());
  EXPECT_EQ((*nodes)[0].report().node().node_name(), "n1");
  EXPECT_EQ((*nodes)[0].coverage().state(), v1::Coverage::STATE_UNKNOWN);
}

TEST_F(FleetDirectoryTest, SummarizesWithoutReadingTheStore) {
  const auto silent = Connect("n2");
  const auto agent = Connect("n1");
  agent->CompleteWrite();
  agent->Give(Report("n1"));
  while (!hub_->coverage().Contains({"test", "n1"})) {
    std::this_thread::yield();
  }
  store_.FailWith(Error{ErrorCode::kUnavailable, "the disk is slow", 0});

  const auto summary = directory_.Summary();

  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->nodes_known(), 2u);
  EXPECT_EQ(summary->nodes_complete(), 1u);
  ASSERT_EQ(summary->incomplete_nodes_size(), 1);
  EXPECT_EQ(summary->incomplete_nodes(0).node_name(), "n2");
}

TEST_F(FleetDirectoryTest, SummarizesWhatIsKnownFromBeforeTheStart) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("n1")), kStartNs));
  NewHub(10);
  FleetDirectory directory(store_, *hub_, [this] { return now_ns_.load(); });
  now_ns_ += 240 * kSecondNs;

  const auto summary = directory.Summary();

  EXPECT_EQ(summary->nodes_known(), 1u);
  EXPECT_EQ(summary->nodes_complete(), 0u);
  EXPECT_EQ(summary->incomplete_nodes(0).coverage().reason(), "no report for 4 min");
}

TEST_F(FleetDirectoryTest, DoesNotBeginWithoutTheNodesOfTheEarlierProcess) {
  store_.FailWith(Error{ErrorCode::kCorrupt, "the table is damaged", 0});

  const Status loaded = hub_->LoadReports(store_);

  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
}

TEST_F(FleetDirectoryTest, ForgetsANodeThatIsSilentForADay) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("gone")), kStartNs));
  NewHub(10);
  FleetDirectory directory(store_, *hub_, [this] { return now_ns_.load(); });
  now_ns_ += kDayNs;
  EXPECT_EQ(directory.Nodes()->size(), 1u);
  EXPECT_EQ(directory.Summary()->nodes_known(), 1u);

  now_ns_ += kSecondNs;

  EXPECT_EQ(directory.Nodes()->size(), 0u);
  EXPECT_EQ(directory.Summary()->nodes_known(), 0u);
  EXPECT_EQ(store_.Reports()->size(), 1u);
  ASSERT_TRUE(directory.Forget());
  EXPECT_EQ(store_.Reports()->size(), 0u);
}

TEST_F(FleetDirectoryTest, SilenceWhileTheCollectorWasAwayDoesNotCount) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("n1")), kStartNs));
  now_ns_ += 3 * kDayNs;
  NewHub(10);
  FleetDirectory directory(store_, *hub_, [this] { return now_ns_.load(); });

  ASSERT_TRUE(directory.Forget());

  EXPECT_EQ(directory.Nodes()->size(), 1u);
  EXPECT_EQ(directory.Summary()->nodes_known(), 1u);
}

TEST_F(FleetDirectoryTest, AsksAConnectedAgentForAFreshReport) {
  const auto agent = Connect("n1");
  std::jthread answering([&] { agent->Give(Answer("n1", AwaitQuery(*agent))); });

  const auto report = directory_.FreshReport("n1", milliseconds(10'000));

  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->agent_version(), "fresh");
}

TEST_F(FleetDirectoryTest, AnEmptyNameMeansTheOnlyNode) {
  const auto agent = Connect("n1");
  std::jthread answering([&] { agent->Give(Answer("n1", AwaitQuery(*agent))); });

  EXPECT_TRUE(directory_.FreshReport("", milliseconds(10'000)));
}

TEST_F(FleetDirectoryTest, AnEmptyNameIsNotEnoughForTwoNodes) {
  const auto one = Connect("n1");
  const auto two = Connect("n2");

  EXPECT_EQ(directory_.FreshReport("", milliseconds(1)).error().code, ErrorCode::kInvalid);
}

TEST_F(FleetDirectoryTest, GivesUpOnAnAgentThatDoesNotAnswer) {
  const auto agent = Connect("n1");

  const auto report = directory_.FreshReport("n1", milliseconds(1));

  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(report.error().message, HasSubstr("within 1 ms"));
}

TEST_F(FleetDirectoryTest, GivesUpAtOnceWhenTheAgentLeaves) {
  auto agent = Connect("n1");
  std::jthread leaving([&] {
    AwaitQuery(*agent);
    agent.reset();
  });

  const auto report = directory_.FreshReport("n1", milliseconds(60'000));

  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
}

TEST_F(FleetDirectoryTest, AnAgentCannotAnswerForAnother) {
  const auto honest = Connect("n1");
  const auto other = Connect("n2");
  std::jthread answering([&] {
    const uint64_t id = AwaitQuery(*honest);
    other->Give(Answer("n2", id));
    honest->Give(Answer("n1", id));
  });

  const auto report = directory_.FreshReport("n1", milliseconds(10'000));

  ASSERT_TRUE(report);
  EXPECT_EQ(report->node().node_name(), "n1");
}

TEST_F(FleetDirectoryTest, TellsASilentNodeFromAnUnknownOne) {
  ASSERT_TRUE(PutReport(SampleReport(SampleNode("n1")), kStartNs));

  EXPECT_EQ(directory_.FreshReport("n1", milliseconds(1)).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(directory_.FreshReport("n9", milliseconds(1)).error().code, ErrorCode::kNotFound);
}

TEST_F(FleetDirectoryTest, SaysSoWhenTwoClustersHaveTheNode) {
  const auto one = Connect("n1");
  const auto two = Open();
  v1::IngestRequest hello = Hello("n1");
  hello.mutable_hello()->mutable_node()->set_cluster_name("other");
  two->Give(hello);

  EXPECT_EQ(directory_.FreshReport("n1", milliseconds(1)).error().code, ErrorCode::kAmbiguous);
}

}  // namespace
}  // namespace oombox
