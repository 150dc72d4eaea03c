// Ingest between versions, message for message: an old agent with today's collector, today's agent
// with an old collector.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "agent/uplink/session.h"
#include "oombox/v1/query.pb.h"
#include "tests/compat/old_wire.h"
#include "tests/unit/collector/fixture.h"
#include "tools/collector/fleet_directory.h"

namespace oombox {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OldAgentTest : public IngestFixture, public testing::WithParamInterface<const char*> {
 protected:
  // What an agent of then sends: `text` in the words of its own messages.
  v1::IngestRequest Old(const std::string& text) {
    return OldWire::Sends<v1::IngestRequest>(*old_.FromText("IngestRequest", text));
  }
  v1::IngestRequest OldEvent(uint64_t seq, const std::string& json) {
    auto event = old_.FromJson("Event", json);
    return Old(fmt::format(R"(event {{ store_epoch: "epoch" seq: {} event {{ {} }} }})", seq,
                           event->ShortDebugString()));
  }
  std::unique_ptr<FakeAgentStream> ConnectOld() {
    auto agent = Open();
    agent->Give(Old(R"(hello { node { cluster_name: "prod" node_name: "node-1" boot_id: "b" }
                               agent_version: "0.1.0" store_epoch: "epoch" })"));
    return agent;
  }

  OldWire old_{GetParam()};
};

TEST_P(OldAgentTest, IsGreetedInWordsItKnows) {
  const auto agent = ConnectOld();

  ASSERT_EQ(agent->written().size(), 1u);
  EXPECT_THAT(old_.Reads(agent->written()[0]),
              AllOf(HasSubstr("ack {"), HasSubstr(R"(store_epoch: "epoch")"),
                    HasSubstr(R"(collector_epoch: "collector-store")")));
}

TEST_P(OldAgentTest, ItsEventsAreStoredAndAcknowledged) {
  const auto agent = ConnectOld();
  agent->CompleteWrite();
  std::istringstream lines(ReadFile(CompatFile("v0.1", "events.jsonl")));
  uint64_t seq = 0;
  for (std::string line; std::getline(lines, line);) {
    ASSERT_TRUE(agent->AwaitReading());
    ASSERT_TRUE(agent->Give(OldEvent(++seq, line)));
  }
  ASSERT_EQ(seq, 5u);

  EXPECT_EQ(agent->AwaitAck(seq), seq);

  EXPECT_EQ(store_.Revisions().size(), 5u);
  EXPECT_TRUE(agent->rejected().empty());
  EXPECT_THAT(old_.Reads(agent->written().back()), HasSubstr("seq: 5"));
}

TEST_P(OldAgentTest, ItsReportAndItsAnswersCount) {
  FleetDirectory directory(store_, *hub_, [this] { return now_ns_.load(); });
  const auto agent = ConnectOld();
  agent->CompleteWrite();
  const std::string report = R"(node { cluster_name: "prod" node_name: "node-1" }
                                coverage { state: STATE_COMPLETE } accounting { captured: 7 })";
  ASSERT_TRUE(agent->Give(Old("report { " + report + " }")));
  while (!hub_->coverage().Contains({"prod", "node-1"})) {
    std::this_thread::yield();
  }
  EXPECT_EQ(directory.Summary()->nodes_complete(), 1u);

  std::jthread answering([&] {
    std::string question;
    while (question.find("query_id: 1 report {") == std::string::npos) {
      question = old_.Reads(agent->written().back());
      std::this_thread::yield();
    }
    agent->Give(Old("query_result { query_id: 1 report { " + report + " } }"));
  });
  const auto fresh = directory.FreshReport("node-1", std::chrono::seconds(10));

  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_EQ(fresh->accounting().captured(), 7u);
}

class OldCollectorTest : public testing::TestWithParam<const char*> {
 protected:
  OldCollectorTest() {
    options_.node = SampleNode("node-1");
    options_.agent_version = "9.9.9";
    options_.report = [this] {
      v1::NodeReport report;
      FillEveryField(&report);
      *report.mutable_node() = options_.node;
      return report;
    };
    session_.emplace(store_, options_, counts_, now_);
  }

  // The next message of today's agent, as the old collector reads it.
  std::string Next() {
    const auto next = session_->Next(now_);
    return next && *next ? old_.Reads(**next) : "";
  }
  Status Say(const std::string& text) {
    return session_->Receive(
        OldWire::Sends<v1::IngestResponse>(*old_.FromText("IngestResponse", text)), now_);
  }

  OldWire old_{GetParam()};
  FakeEventStore store_{"agent-store"};
  Session::Options options_;
  DeliveryCounts counts_;
  const Session::Clock::time_point now_{};
  std::optional<Session> session_;
};

TEST_P(OldCollectorTest, UnderstandsHelloReportAndEvents) {
  v1::Event gap = SampleEvent(1, options_.node);
  gap.mutable_gap()->set_cause(v1::GapEvent::CAUSE_EVICTED);  // unknown to it
  store_.Insert(gap);
  v1::Event full;
  FillEveryField(&full);
  full.set_event_id(SampleId(2));
  full.clear_body();
  FillEveryField(full.mutable_oom());
  store_.Insert(full);

  EXPECT_THAT(Next(), AllOf(HasSubstr("hello {"), HasSubstr(R"(node_name: "node-1")"),
                            HasSubstr(R"(store_epoch: "agent-store")")));
  ASSERT_TRUE(Say(R"(ack { store_epoch: "agent-store" collector_epoch: "old" })"));
  EXPECT_THAT(Next(), AllOf(HasSubstr("report {"), HasSubstr("captured:")));
  EXPECT_THAT(Next(), AllOf(HasSubstr("event {"), HasSubstr(SampleId(1)), HasSubstr("gap {")));
  EXPECT_THAT(Next(), AllOf(HasSubstr("event {"), HasSubstr(SampleId(2)), HasSubstr("oom {")));
}

TEST_P(OldCollectorTest, ItsAcknowledgementsAndQuestionsAreUnderstood) {
  store_.Insert(SampleEvent(1, options_.node));
  store_.Insert(SampleEvent(2, options_.node));
  Next();
  ASSERT_TRUE(Say(R"(ack { store_epoch: "agent-store" collector_epoch: "old" })"));
  while (!Next().empty()) {
  }

  ASSERT_TRUE(Say(R"(ack { store_epoch: "agent-store" collector_epoch: "old" seq: 2
                           rejected { event_id: "0000000000000001" reason: "no" } })"));
  ASSERT_TRUE(Say("query { query_id: 4 report {} }"));

  EXPECT_EQ(store_.Acknowledged()->second, 2u);
  EXPECT_EQ(counts_.rejected, 1u);
  EXPECT_THAT(Next(), AllOf(HasSubstr("query_result { query_id: 4"), HasSubstr("report {")));
}

INSTANTIATE_TEST_SUITE_P(Versions, OldAgentTest, testing::Values("v0.1", "v0.2"));
INSTANTIATE_TEST_SUITE_P(Versions, OldCollectorTest, testing::Values("v0.1", "v0.2"));

}  // namespace
}  // namespace oombox
