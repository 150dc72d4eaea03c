#include "agent/uplink/uplink.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/fakes/fake_event_store.h"
#include "tests/fakes/sample_events.h"

namespace oombox {
namespace {

// When a collector that greets acknowledges an event and is gone, all at once.
enum class Moment {
  kEvent,      // while it is sent
  kFinish,     // the stream is known as broken while it is sent; the acknowledgement comes later
  kStop,       // while it is sent, and the uplink has been stopped meanwhile
  kHalfClose,  // when nothing more comes
};

struct Play {
  Moment moment;
  std::atomic<bool> sending = false;
  std::atomic<bool> stopping = false;
};

class FakeStream : public CollectorStream {
 public:
  FakeStream(StreamObserver& observer, Play& play) : observer_(observer), play_(play) {}

  void Send(v1::IngestRequest request) override {
    if (request.has_hello()) {
      epoch_ = request.hello().store_epoch();
      observer_.OnResponse(Ack(0));
    }
    if (request.has_event()) {
      SendEvent(request.event().seq());
    } else {
      observer_.OnWritten();
    }
  }
  void ReadOn() override {}
  void HalfClose() override { End(); }
  Status Finish(std::chrono::milliseconds /*grace*/) override {
    if (play_.moment == Moment::kFinish) {
      observer_.OnResponse(Ack(seq_));
    }
    return {};
  }

 private:
  void SendEvent(uint64_t seq) {
    seq_ = seq;
    play_.sending = true;
    while (play_.moment == Moment::kStop && !play_.stopping) {
      std::this_thread::yield();
    }
    switch (play_.moment) {
      case Moment::kEvent:
      case Moment::kStop:
        return End();
      case Moment::kFinish:
        return observer_.OnBroken();
      case Moment::kHalfClose:
        return observer_.OnWritten();
    }
  }
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
  Play& play_;
  std::string epoch_;
  uint64_t seq_ = 0;
};

class FakeTransport : public CollectorTransport {
 public:
  explicit FakeTransport(Play& play) : play_(play) {}
  Result<std::unique_ptr<CollectorStream>> Open(const std::string& /*address*/,
                                                StreamObserver& observer) override {
    return std::make_unique<FakeStream>(observer, play_);
  }

 private:
  Play& play_;
};

// Whatever the moment: the event is not sent again.
class UplinkTest : public testing::TestWithParam<Moment> {
 protected:
  UplinkTest() {
    options_.collectors = {"collector"};
    options_.session.node = SampleNode("node-1");
    options_.session.report = [] { return SampleReport(SampleNode("node-1")); };
    options_.stop_grace = std::chrono::minutes(1);
    options_.pause = [this](const std::stop_token& stop, std::chrono::milliseconds) {
      paused_ = true;
      while (!stop.stop_requested()) {
        std::this_thread::yield();
      }
    };
    store_.Insert(SampleEvent(1, SampleNode("node-1")));
  }

  FakeEventStore store_{"agent-store"};
  Uplink::Options options_;
  std::atomic<bool> paused_ = false;
};

TEST_P(UplinkTest, TakesTheLastAcknowledgementOfAStream) {
  Play play{.moment = GetParam()};
  FakeTransport transport(play);
  Uplink uplink(store_, transport, options_);
  uplink.Start();
  const bool ends_by_itself = play.moment == Moment::kEvent || play.moment == Moment::kFinish;
  while (!(ends_by_itself ? paused_ : play.sending)) {
    std::this_thread::yield();
  }

  std::jthread stop([&] { uplink.Stop(); });
  play.stopping = true;
  stop.join();

  EXPECT_EQ(store_.Acknowledged()->second, 1U);
}

INSTANTIATE_TEST_SUITE_P(Moments, UplinkTest,
                         testing::Values(Moment::kEvent, Moment::kFinish, Moment::kStop,
                                         Moment::kHalfClose));

}  // namespace
}  // namespace oombox
