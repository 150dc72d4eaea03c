// Agents' uplinks against the real collector over a unix socket.
#include "tools/collector/collector.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <thread>

#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"
#include "oombox/v1/query.grpc.pb.h"
#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

// An agent as far as a collector sees it.
class Agent {
 public:
  Agent(const std::string& name, const std::string& address)
      : node_(SampleNode(name)), store_("store of " + name) {
    Uplink::Options options;
    options.collectors = {address};
    options.session.node = node_;
    options.session.report = [this] { return SampleReport(node_); };
    options.pause = [](const std::stop_token&, std::chrono::milliseconds) {
      std::this_thread::yield();
    };
    uplink_.emplace(store_, transport_, std::move(options));
  }

  void Start() { uplink_->Start(); }
  void Stop() { uplink_->Stop(); }
  void Store(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number <= to; ++number) {
      store_.Insert(SampleEvent(number, node_));
    }
  }
  bool AwaitAcknowledged() {
    return Await([this] { return store_.Acknowledged()->second == store_.Stats()->last_seq; });
  }
  bool AwaitDisconnected() {
    return Await([this] { return uplink_->status().connected_to.empty(); });
  }
  bool AwaitOtherCollectorThan(const std::string& epoch) {
    return Await([&] { return store_.Acknowledged()->first != epoch; });
  }
  FakeEventStore& store() { return store_; }
  UplinkStatus status() const { return uplink_->status(); }

 private:
  static bool Await(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }

  const v1::NodeIdentity node_;
  FakeEventStore store_;
  GrpcTransport transport_{{}};
  std::optional<Uplink> uplink_;
};

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() {
    config_.state_dir = dir_.File("state");
    config_.listen = {address_};
    StartCollector();
  }

  void StartCollector() {
    auto collector = Collector::Start(config_);
    ASSERT_TRUE(collector) << collector.error().message;
    collector_ = std::move(*collector);
  }
  void StopCollector() { collector_.reset(); }
  void RemoveStore() { std::filesystem::remove_all(config_.state_dir); }

  // Ids of all events, as a client gets them.
  std::set<std::string> Listed() {
    std::set<std::string> ids;
    v1::ListEventsRequest request;
    request.set_page_size(1000);
    do {
      grpc::ClientContext context;
      v1::ListEventsResponse response;
      const grpc::Status status = Events()->ListEvents(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      for (const v1::Event& event : response.events()) {
        EXPECT_TRUE(ids.insert(event.event_id()).second) << event.event_id() << " listed twice";
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }
  // An acknowledgement says nothing of the report that came before it.
  void AwaitReportOf(const std::string& node) {
    for (bool has_reported = false; !has_reported; std::this_thread::yield()) {
      grpc::ClientContext context;
      v1::ListNodesResponse nodes;
      ASSERT_TRUE(Nodes()->ListNodes(&context, {}, &nodes).ok());
      for (const auto& known : nodes.nodes()) {
        has_reported |= known.report().node().node_name() == node && known.has_last_report_age();
      }
    }
  }
  std::unique_ptr<v1::EventService::Stub> Events() { return v1::EventService::NewStub(Channel()); }
  std::unique_ptr<v1::NodeService::Stub> Nodes() { return v1::NodeService::NewStub(Channel()); }
  std::shared_ptr<grpc::Channel> Channel() {
    return grpc::CreateChannel(address_, grpc::InsecureChannelCredentials());
  }

  static std::set<std::string> Ids(uint64_t from, uint64_t to) {
    std::set<std::string> ids;
    for (uint64_t number = from; number <= to; ++number) {
      ids.insert(SampleId(number));
    }
    return ids;
  }

  TempDir dir_;
  const std::string address_ = "unix:" + dir_.File("collector.sock");
  CollectorConfig config_;
  std::unique_ptr<Collector> collector_;
};

TEST_F(CollectorTest, WhatAnAgentStoresIsListed) {
  Agent agent("n1", address_);
  agent.Store(1, 300);
  agent.Start();

  ASSERT_TRUE(agent.AwaitAcknowledged());
  EXPECT_EQ(Listed(), Ids(1, 300));
}

TEST_F(CollectorTest, WhatWasAcknowledgedSurvivesARestartAndIsNotSentAgain) {
  Agent agent("n1", address_);
  agent.Store(1, 100);
  agent.Start();
  ASSERT_TRUE(agent.AwaitAcknowledged());

  StopCollector();
  ASSERT_TRUE(agent.AwaitDisconnected());  // or what is stored now may go into the broken stream
  agent.Store(101, 150);
  StartCollector();

  ASSERT_TRUE(agent.AwaitAcknowledged());
  EXPECT_EQ(Listed(), Ids(1, 150));
  EXPECT_EQ(agent.status().events.sent, 150u);
}

TEST_F(CollectorTest, ACollectorThatLostItsStoreGetsEverythingAgain) {
  Agent agent("n1", address_);
  agent.Store(1, 100);
  agent.Start();
  ASSERT_TRUE(agent.AwaitAcknowledged());

  const std::string lost = agent.store().Acknowledged()->first;
  StopCollector();
  RemoveStore();
  StartCollector();

  ASSERT_TRUE(agent.AwaitOtherCollectorThan(lost));
  ASSERT_TRUE(agent.AwaitAcknowledged());
  EXPECT_EQ(Listed(), Ids(1, 100));
}

// Without them a list would call itself complete before the other nodes are back.
TEST_F(CollectorTest, DoesNotStartWithoutTheReportsOfTheEarlierProcess) {
  StopCollector();
  SQLite::Database(config_.state_dir + "/events.db", SQLite::OPEN_READWRITE)
      .exec("DROP TABLE reports");

  const auto collector = Collector::Start(config_);

  ASSERT_FALSE(collector);
  EXPECT_THAT(collector.error().message, testing::HasSubstr("last reports cannot be read"));
}

TEST_F(CollectorTest, SurvivesACollectorThatIsRestartedAgainAndAgain) {
  Agent agent("n1", address_);
  agent.Start();
  for (uint64_t round = 0; round < 5; ++round) {
    agent.Store(round * 100 + 1, round * 100 + 100);
    StopCollector();
    StartCollector();
  }

  ASSERT_TRUE(agent.AwaitAcknowledged());
  EXPECT_EQ(Listed(), Ids(1, 500));
}

TEST_F(CollectorTest, TakesAHundredAgentsAtTheSameTime) {
  constexpr uint64_t kAgents = 100;
  constexpr uint64_t kEach = 20;
  std::vector<std::unique_ptr<Agent>> agents;
  for (uint64_t i = 0; i < kAgents; ++i) {
    agents.push_back(std::make_unique<Agent>(fmt::format("n{}", i), address_));
    agents.back()->Store(i * kEach + 1, i * kEach + kEach);
  }

  for (const auto& agent : agents) {
    agent->Start();
  }
  for (const auto& agent : agents) {
    ASSERT_TRUE(agent->AwaitAcknowledged());
  }

  EXPECT_EQ(Listed(), Ids(1, kAgents * kEach));
  grpc::ClientContext context;
  v1::ListNodesResponse nodes;
  ASSERT_TRUE(Nodes()->ListNodes(&context, {}, &nodes).ok());
  EXPECT_EQ(nodes.nodes_size(), 100);
}

TEST_F(CollectorTest, AsksAConnectedAgentForAFreshReport) {
  Agent agent("n1", address_);
  agent.Store(1, 1);
  agent.Start();
  ASSERT_TRUE(agent.AwaitAcknowledged());
  v1::GetNodeReportRequest request;
  request.set_node_name("n1");
  grpc::ClientContext context;
  v1::GetNodeReportResponse response;

  const grpc::Status status = Nodes()->GetNodeReport(&context, request, &response);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.report().node().node_name(), "n1");
}

TEST_F(CollectorTest, ANodeThatHasLeftIsUnavailable) {
  Agent agent("n1", address_);
  agent.Store(1, 1);
  agent.Start();
  AwaitReportOf("n1");
  agent.Stop();
  v1::GetNodeReportRequest request;
  request.set_node_name("n1");
  grpc::ClientContext context;
  v1::GetNodeReportResponse response;

  const grpc::Status status = Nodes()->GetNodeReport(&context, request, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CollectorTest, AStreamWithoutHelloIsAnInvalidArgument) {
  const auto stub = v1::IngestService::NewStub(Channel());
  grpc::ClientContext context;
  const auto stream = stub->Ingest(&context);
  v1::IngestRequest request;
  request.mutable_report();

  stream->Write(request);

  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(CollectorTest, AMessageThatIsTooBigForAnyCollectorDoesNotHarmIt) {
  const auto stub = v1::IngestService::NewStub(Channel());
  grpc::ClientContext context;
  const auto stream = stub->Ingest(&context);
  v1::IngestRequest request;
  request.mutable_hello()->set_store_epoch(std::string(5 << 20, 'x'));

  stream->Write(request);

  EXPECT_FALSE(stream->Finish().ok());
  Agent agent("n1", address_);
  agent.Store(1, 1);
  agent.Start();
  EXPECT_TRUE(agent.AwaitAcknowledged());
}

TEST_F(CollectorTest, ASecondCollectorOnTheSameFolderIsRefused) {
  CollectorConfig config = config_;
  config.listen = {"unix:" + dir_.File("other.sock")};

  const auto second = Collector::Start(config);

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace oombox
