// A peer that is gone without a word: the network between has vanished, or it is alive and does
// nothing. Each side must notice by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "agent/common/clock.h"
#include "agent/query/query_server.h"
#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"
#include "tests/fakes/fake_collector.h"
#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"
#include "tests/fakes/silent_proxy.h"
#include "tests/unit/store/fixture.h"
#include "tools/collector/fleet_directory.h"
#include "tools/collector/ingest_hub.h"
#include "tools/collector/ingest_service.h"

namespace oombox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kKeepalive{300};
constexpr milliseconds kNever{3'600'000};

bool Await(const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

// An agent's uplink; what it stores is in `store`.
class Agent {
 public:
  Agent(std::vector<std::string> collectors, milliseconds keepalive, seconds ack_timeout)
      : transport_({.keepalive_time = keepalive, .keepalive_timeout = keepalive}) {
    Uplink::Options options;
    options.collectors = std::move(collectors);
    options.session.node = node;
    options.session.report = [this] { return SampleReport(node); };
    options.session.ack_timeout = ack_timeout;
    options.pause = [](const std::stop_token&, milliseconds) { std::this_thread::yield(); };
    uplink_.emplace(store, transport_, std::move(options));
    uplink_->Start();
  }
  bool connected() const { return !uplink_->status().connected_to.empty(); }
  uint64_t connects() const { return uplink_->status().connects; }

  const v1::NodeIdentity node = SampleNode("node-1");
  FakeEventStore store{"agent-store"};

 private:
  GrpcTransport transport_;
  std::optional<Uplink> uplink_;
};

TEST(DeadPeerTest, AnAgentNoticesThatItsCollectorHasSilentlyGone) {
  TempDir dir;
  FakeCollector collector("unix:" + dir.File("c.sock"));
  SilentProxy proxy(dir.File("c.sock"));
  Agent agent({proxy.address()}, kKeepalive, seconds(3600));
  ASSERT_TRUE(Await([&] { return agent.connected(); }));

  proxy.Freeze();
  ASSERT_TRUE(Await([&] { return !agent.connected(); }));
  agent.store.Insert(SampleEvent(1, agent.node));
  proxy.Thaw();

  EXPECT_TRUE(collector.Await([&] { return collector.events.contains(SampleId(1)); }));
  EXPECT_TRUE(Await([&] { return agent.connects() >= 2; }));
}

TEST(DeadPeerTest, AnAgentLeavesACollectorThatAcknowledgesNothing) {
  TempDir dir;
  FakeCollector stuck("unix:" + dir.File("stuck.sock"));
  FakeCollector other("unix:" + dir.File("other.sock"));
  stuck.HoldAcks();
  Agent agent({"unix:" + dir.File("stuck.sock"), "unix:" + dir.File("other.sock")}, kNever,
              seconds(1));

  agent.store.Insert(SampleEvent(1, agent.node));

  EXPECT_TRUE(other.Await([&] { return other.events.contains(SampleId(1)); }));
}

TEST(DeadPeerTest, ACollectorFreesThePlaceOfAnAgentThatHasSilentlyGone) {
  TempDir dir;
  FakeEventStore store("collector-store");
  IngestHub hub(store, {.max_agents = 1, .wall_now = WallNowNs});
  IngestService ingest(hub);
  FleetDirectory directory(store, hub, WallNowNs);
  QueryServer::Options options;
  options.listen = {{"unix:" + dir.File("c.sock"), grpc::InsecureServerCredentials()}};
  options.extra_services = {&ingest};
  options.keepalive_time = options.keepalive_timeout = kKeepalive;
  auto server = QueryServer::Start(std::move(options), store, directory).value();
  {
    SilentProxy proxy(dir.File("c.sock"));
    Agent agent({proxy.address()}, kNever, seconds(3600));
    ASSERT_TRUE(Await([&] { return hub.registry().Connected(agent.node); }));

    proxy.Freeze();

    EXPECT_TRUE(Await([&] { return !hub.registry().Connected(agent.node); }));
    proxy.Thaw();
  }
  hub.Stop();
}

}  // namespace
}  // namespace oombox
