#include "agent/uplink/uplink.h"

#include <gtest/gtest.h>

#include <condition_variable>

#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"

namespace oombox {
namespace {

using namespace std::chrono_literals;

// A collector that greets, and acknowledges an event in the moment that `answers_to` says.
enum class Moment { kEvent, kHalfClose };

class FakeStream : public CollectorStream {
 public:
  FakeStream(StreamObserver& observer, Moment answers_to, std::atomic<bool>& sent)
      : observer_(observer), answers_to_(answers_to), sent_(sent) {}

  void Send(v1::IngestRequest request) override {
    if (request.has_hello()) {
      epoch_ = request.hello().store_epoch();
      observer_.OnResponse(Ack(0));
    }
    if (request.has_event()) {
      seq_ = request.event().seq();
      if (answers_to_ == Moment::kEvent) {
        End();
        return;
      }
    }
    observer_.OnWritten();
    sent_ = seq_ != 0;
  }
  void ReadOn() override {}
  void HalfClose() override { End(); }
  Status Finish(std::chrono::milliseconds /*grace*/) override { return {}; }

 private:
  // Its last word and its end come at once: the uplink's thread sees both.
  void End() {
    observer_.OnResponse(Ack(seq_));
    observer_.OnBroken();
  }
  v1::IngestResponse Ack(uint64_t seq) const {
    v1::IngestResponse response;
    response.mutable_ack()->set_store_epoch(epoch_);
    response.mutable_ack()->set_seq(seq);
    response.mutable_ack()->set_collector_epoch("collector");
    return response;
  }

  StreamObserver& observer_;
  const Moment answers_to_;
  std::atomic<bool>& sent_;
  std::string epoch_;
  uint64_t seq_ = 0;
};

class FakeTransport : public CollectorTransport {
 public:
  explicit FakeTransport(Moment answers_to) : answers_to_(answers_to) {}
  Result<std::unique_ptr<CollectorStream>> Open(const std::string& /*address*/,
                                                StreamObserver& observer) override {
    return std::make_unique<FakeStream>(observer, answers_to_, sent_);
  }
  bool sent() const { return sent_; }

 private:
  const Moment answers_to_;
  std::atomic<bool> sent_ = false;
};

class UplinkTest : public testing::Test {
 protected:
  Uplink::Options Options() {
    Uplink::Options options;
    options.collectors = {"collector"};
    options.session.node = SampleNode("node-1");
    options.session.report = [] { return SampleReport(SampleNode("node-1")); };
    options.stop_grace = 1min;
    options.pause = [this](const std::stop_token& stop, std::chrono::milliseconds) {
      std::unique_lock lock(mutex_);
      pauses_++;
      changed_.notify_all();
      changed_.wait(lock, stop, [] { return false; });
    };
    return options;
  }

  void AwaitPause() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return pauses_ > 0; });
  }

  FakeEventStore store_{"agent-store"};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int pauses_ = 0;
};

TEST_F(UplinkTest, TakesTheLastAcknowledgementOfAStreamThatEnds) {
  store_.Insert(SampleEvent(1, SampleNode("node-1")));
  FakeTransport transport(Moment::kEvent);
  Uplink uplink(store_, transport, Options());

  uplink.Start();
  AwaitPause();

  EXPECT_EQ(store_.Acknowledged()->second, 1U);
  uplink.Stop();
}

TEST_F(UplinkTest, WaitsAtItsStopForWhatIsInFlight) {
  store_.Insert(SampleEvent(1, SampleNode("node-1")));
  FakeTransport transport(Moment::kHalfClose);
  Uplink uplink(store_, transport, Options());

  uplink.Start();
  while (!transport.sent()) {
    std::this_thread::yield();
  }
  uplink.Stop();

  EXPECT_EQ(store_.Acknowledged()->second, 1U);
}

}  // namespace
}  // namespace oombox
