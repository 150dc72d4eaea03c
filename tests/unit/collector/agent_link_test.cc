#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/collector/fixture.h"

namespace oombox {
namespace {

// The test takes the writer's place.
class IdleOwner final : public LinkOwner {
 public:
  Status Admit(const std::shared_ptr<AgentLink>&) override { return {}; }
  void Ready(const std::shared_ptr<AgentLink>&) override {}
  void Answer(const AgentLink&, const v1::QueryResult&) override {}
  void Left(const AgentLink&) override {}
};

class AgentLinkTest : public IngestFixture {
 protected:
  // A link of its own, with the agent at its other end.
  struct Agent {
    std::shared_ptr<AgentLink> link;
    std::unique_ptr<FakeAgentStream> stream;
  };

  Agent Join(const std::string& node) {
    Agent agent;
    agent.link = std::make_shared<AgentLink>(owner_, budget_, "collector", "test");
    agent.stream = std::make_unique<FakeAgentStream>(agent.link);
    agent.stream->Give(Hello(node));
    return agent;
  }
  static v1::IngestRequest ReportOf(const std::string& node, size_t bytes) {
    v1::IngestRequest request = Report(node);
    request.mutable_report()->set_agent_version(std::string(bytes, 'v'));
    return request;
  }
  static size_t BytesOf(const v1::IngestRequest& request) {
    return request.report().ByteSizeLong();
  }

  IdleOwner owner_;
  IngestBudget budget_;
};

TEST_F(AgentLinkTest, CountsAReportUntilItIsStored) {
  const Agent agent = Join("n1");
  const v1::IngestRequest report = ReportOf("n1", 5000);
  ASSERT_TRUE(agent.stream->Give(report));
  EXPECT_EQ(budget_.used, BytesOf(report));

  const LinkBatch batch = agent.link->Take();
  agent.link->Committed(batch);
  EXPECT_EQ(budget_.used, BytesOf(report));

  agent.link->ReportDone(batch);
  EXPECT_EQ(budget_.used, 0u);
}

TEST_F(AgentLinkTest, AReportThatIsReplacedGivesItsRoomBack) {
  const Agent agent = Join("n1");
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", 5000)));
  const v1::IngestRequest newer = ReportOf("n1", 100);

  ASSERT_TRUE(agent.stream->Give(newer));

  EXPECT_EQ(budget_.used, BytesOf(newer));
  EXPECT_EQ(agent.link->Take().report->report.agent_version().size(), 100u);
}

TEST_F(AgentLinkTest, GivesTheRoomOfItsReportBackWhenItEnds) {
  Agent closed = Join("n1");
  Agent gone = Join("n2");
  Agent taken = Join("n3");
  ASSERT_TRUE(closed.stream->Give(ReportOf("n1", 5000)));
  ASSERT_TRUE(gone.stream->Give(ReportOf("n2", 5000)));
  ASSERT_TRUE(taken.stream->Give(ReportOf("n3", 5000)));
  const LinkBatch batch = taken.link->Take();

  closed.link->Close(MakeError(ErrorCode::kUnavailable, "stopping"));
  gone.stream.reset();
  taken.stream.reset();
  taken.link->ReportDone(batch);

  EXPECT_EQ(budget_.used, 0u);
}

TEST_F(AgentLinkTest, LeavesReportsOutThatDoNotFitTheBudgetAndReadsOn) {
  budget_.max = 10'000;
  budget_.max_with_reports = 20'000;
  std::vector<Agent> agents;
  for (int i = 0; i < 30; ++i) {
    const std::string node = "n" + std::to_string(i);
    agents.push_back(Join(node));
    ASSERT_TRUE(agents.back().stream->Give(ReportOf(node, 1000)));
  }

  EXPECT_GT(budget_.used, budget_.max);
  EXPECT_LE(budget_.used, budget_.max_with_reports);
  EXPECT_TRUE(agents[0].link->Take().report);
  EXPECT_FALSE(agents[29].link->Take().report);
  for (const Agent& agent : agents) {
    EXPECT_TRUE(agent.stream->reading());
  }
}

TEST_F(AgentLinkTest, KeepsTheOlderReportWhenTheNewerDoesNotFit) {
  budget_.max_with_reports = 2000;
  const Agent agent = Join("n1");
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", 1500)));
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", 1600)));  // takes the place of the first
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", 3000)));

  EXPECT_EQ(agent.link->Take().report->report.agent_version().size(), 1600u);
}

TEST_F(AgentLinkTest, ReportsThatWaitNeverKeepAnEventOut) {
  budget_.max = 1;  // full with the first report
  const Agent agent = Join("n1");
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", 5000)));

  ASSERT_TRUE(agent.stream->Give(Event("n1", 1, 1)));

  EXPECT_EQ(agent.link->Take().events.size(), 1u);
}

TEST_F(AgentLinkTest, ReadsOnWhenItsReportIsStored) {
  const Agent agent = Join("n1");
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", AgentLink::kMaxBytes - 1000)));
  const LinkBatch report = agent.link->Take();
  ASSERT_TRUE(agent.stream->Give(ReportOf("n1", 1000)));
  ASSERT_TRUE(agent.stream->Give(Event("n1", 1, 1)));
  ASSERT_FALSE(agent.stream->reading()) << "its report counts among what it holds";

  agent.link->ReportDone(report);

  EXPECT_TRUE(agent.stream->reading());
}

class IngestRoundTest : public IngestFixture {};

TEST_F(IngestRoundTest, CountsReportsAmongTheBytesOfATransaction) {
  NewHub(20);
  const auto first = Connect("first");
  store_.HoldPuts();
  first->Give(Event("first", 1, 1));
  store_.AwaitHeldPut();
  std::vector<std::unique_ptr<FakeAgentStream>> agents;
  for (uint64_t i = 0; i < 16; ++i) {
    const std::string node = "n" + std::to_string(i);
    agents.push_back(Connect(node));
    v1::IngestRequest report = Report(node);
    report.mutable_report()->set_agent_version(std::string(900 << 10, 'v'));
    ASSERT_TRUE(agents.back()->Give(std::move(report)));
    ASSERT_TRUE(agents.back()->Give(Event(node, 1, 100 + i)));
  }

  store_.LetPutsPass();

  for (const auto& agent : agents) {
    EXPECT_EQ(agent->AwaitAck(1), 1u);
  }
  EXPECT_LE(store_.max_batch(), 10u);
  hub_->Stop();
  EXPECT_EQ(store_.Reports()->size(), 16u);
}

}  // namespace
}  // namespace oombox
