#include "tests/bench/fleet/fleet.h"

#include <fmt/format.h>

#include "agent/uplink/grpc_transport.h"
#include "agent/uplink/uplink.h"
#include "tests/bench/bench_events.h"
#include "tests/fakes/fake_event_store.h"

namespace oombox {

class Fleet::Agent {
 public:
  Agent(size_t number, const std::string& collector)
      : name(fmt::format("node-{:04}", number)), store("store of " + name) {
    Uplink::Options options;
    options.collectors = {collector};
    options.session.node.set_cluster_name("bench");
    options.session.node.set_node_name(name);
    options.session.node.set_boot_id("b007");
    options.session.report = [report = BenchReport(options.session.node)] { return report; };
    uplink.emplace(store, transport_, std::move(options));
  }

  uint64_t Unacknowledged() const { return store.Stats()->last_seq - store.Acknowledged()->second; }

  const std::string name;
  mutable FakeEventStore store;

 private:
  GrpcTransport transport_{{}};

 public:
  std::optional<Uplink> uplink;  // stopped first
};

Fleet::Fleet(size_t agents, const std::string& collector) {
  for (size_t i = 0; i < agents; ++i) {
    agents_.push_back(std::make_unique<Agent>(i, collector));
  }
}

Fleet::~Fleet() = default;

void Fleet::Start() {
  for (const auto& agent : agents_) {
    agent->uplink->Start();
  }
}

void Fleet::Insert(size_t agent, uint64_t count) {
  std::vector<v1::Event> events;
  for (uint64_t i = 0; i < count; ++i) {
    events.push_back(BenchEvent(inserted_++, agents_[agent]->name));
  }
  (void)agents_[agent]->store.Put(events, std::nullopt);  // in memory: it cannot fail
}

void Fleet::InsertEverywhere(uint64_t count) {
  const uint64_t each = count / agents_.size();
  for (size_t agent = 0; agent < agents_.size(); ++agent) {
    Insert(agent, each + (agent < count % agents_.size() ? 1 : 0));
  }
}

size_t Fleet::Connected() const {
  size_t connected = 0;
  for (const auto& agent : agents_) {
    connected += agent->uplink->status().connected_to.empty() ? 0 : 1;
  }
  return connected;
}

uint64_t Fleet::Unacknowledged(size_t agent) const { return agents_[agent]->Unacknowledged(); }

uint64_t Fleet::UnacknowledgedBut(size_t but) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < agents_.size(); ++i) {
    sum += i == but ? 0 : agents_[i]->Unacknowledged();
  }
  return sum;
}

uint64_t Fleet::Sent() const {
  uint64_t sum = 0;
  for (const auto& agent : agents_) {
    sum += agent->uplink->status().events.sent;
  }
  return sum;
}

uint64_t Fleet::Rejected() const {
  uint64_t sum = 0;
  for (const auto& agent : agents_) {
    sum += agent->uplink->status().events.rejected;
  }
  return sum;
}

}  // namespace oombox
