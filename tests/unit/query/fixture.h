#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>

#include "agent/query/query_server.h"
#include "agent/store/event_store.h"
#include "oombox/v1/query.grpc.pb.h"
#include "tests/unit/store/fixture.h"

namespace oombox {

// A directory that knows what the test told it.
class FakeDirectory final : public NodeDirectory {
 public:
  void Add(const std::string& name, v1::Coverage::State state) {
    std::lock_guard lock(mutex_);
    v1::NodeStatus& status = nodes_.emplace_back();
    status.mutable_report()->mutable_node()->set_node_name(name);
    status.mutable_coverage()->set_state(state);
  }

  Result<std::vector<v1::NodeStatus>> Nodes() override {
    std::lock_guard lock(mutex_);
    return nodes_;
  }

  Result<v1::NodeReport> FreshReport(const std::string& node_name,
                                     std::chrono::milliseconds timeout) override {
    std::lock_guard lock(mutex_);
    for (const v1::NodeStatus& status : nodes_) {
      if (status.report().node().node_name() == node_name) {
        v1::NodeReport report = status.report();
        report.set_agent_version(timeout.count() > 0 ? "in time" : "too late");
        return report;
      }
    }
    return MakeError(ErrorCode::kUnavailable, "node '{}' is not connected", node_name);
  }

 private:
  std::mutex mutex_;
  std::vector<v1::NodeStatus> nodes_;
};

// A server in this process over a store in a temporary directory.
class QueryServerFixture : public testing::Test {
 protected:
  QueryServerFixture()
      : store_(EventStore::Open({.path = dir_.File("events.db")}).value()),
        server_(
            QueryServer::Start({.component = "oombox-test", .version = "1.2.3"}, *store_, nodes_)
                .value()),
        channel_(server_->InProcessChannel()),
        events_(v1::EventService::NewStub(channel_)) {}

  ~QueryServerFixture() override { server_->Shutdown(std::chrono::seconds{5}); }

  void Put(const v1::Event& event) {
    ASSERT_TRUE(store_->Put(std::vector{event}, std::nullopt).has_value());
  }

  TempDir dir_;
  FakeDirectory nodes_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<QueryServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EventService::Stub> events_;
};

}  // namespace oombox
