#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"
#include "tests/unit/collector/fake_agent_stream.h"
#include "tools/collector/ingest_hub.h"

namespace oombox {

// A hub over a store in memory, and agents played by the test.
class IngestFixture : public testing::Test {
 protected:
  static constexpr int64_t kStartNs = 1'000'000'000'000;

  IngestFixture() { NewHub(10); }

  void NewHub(size_t max_agents) {
    hub_.reset();
    hub_ = std::make_unique<IngestHub>(
        store_, IngestHub::Options{max_agents, [this] { return now_ns_.load(); }});
    ASSERT_TRUE(hub_->LoadReports(store_));
  }

  std::unique_ptr<FakeAgentStream> Open() {
    auto link = hub_->OpenLink("test");
    return link ? std::make_unique<FakeAgentStream>(*link) : nullptr;
  }
  std::unique_ptr<FakeAgentStream> Connect(const std::string& node) {
    auto stream = Open();
    stream->Give(Hello(node));
    return stream;
  }

  static v1::IngestRequest Hello(const std::string& node) {
    v1::IngestRequest request;
    *request.mutable_hello()->mutable_node() = SampleNode(node);
    request.mutable_hello()->set_store_epoch("epoch of " + node);
    return request;
  }
  static v1::IngestRequest Event(const std::string& node, uint64_t seq, uint64_t number) {
    v1::IngestRequest request;
    request.mutable_event()->set_store_epoch("epoch of " + node);
    request.mutable_event()->set_seq(seq);
    *request.mutable_event()->mutable_event() = SampleEvent(number, SampleNode(node));
    return request;
  }
  static v1::IngestRequest Report(const std::string& node) {
    v1::IngestRequest request;
    *request.mutable_report() = SampleReport(SampleNode(node));
    return request;
  }

  FakeEventStore store_{"collector-store"};
  std::atomic<int64_t> now_ns_ = kStartNs;
  std::unique_ptr<IngestHub> hub_;
};

}  // namespace oombox
