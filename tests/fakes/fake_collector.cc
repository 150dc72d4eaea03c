#include "tests/fakes/fake_collector.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <utility>

namespace oombox {

// All state under the collector's mutex.
class FakeCollector::Stream final
    : public grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse> {
 public:
  explicit Stream(FakeCollector& collector) : collector_(collector) {
    std::lock_guard lock(collector_.mutex_);
    collector_.streams_.insert(this);
    ++collector_.open_streams;
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    std::lock_guard lock(collector_.mutex_);
    if (!ok) {
      return End(grpc::Status::OK);
    }
    Receive();
    collector_.changed_.notify_all();
    if (!ended_) {
      StartRead(&request_);
    }
  }
  void OnWriteDone(bool /*ok*/) override {
    std::lock_guard lock(collector_.mutex_);
    writing_ = false;
    GoOn();
  }
  void OnDone() override {
    {
      std::lock_guard lock(collector_.mutex_);
      collector_.streams_.erase(this);
      --collector_.open_streams;
      collector_.changed_.notify_all();
    }
    delete this;
  }

  void GoOn() {
    if (writing_ || finished_) {
      return;
    }
    if (ended_) {
      finished_ = true;
      return Finish(*ended_);
    }
    if (unsent_ack_ && !collector_.hold_acks_) {
      v1::IngestResponse response;
      *response.mutable_ack() = std::move(*std::exchange(unsent_ack_, std::nullopt));
      response.mutable_ack()->set_collector_epoch(collector_.epoch_);
      unacknowledged_ = 0;
      responses_.push_back(std::move(response));
    }
    if (!responses_.empty()) {
      writing_ = true;
      response_ = std::move(responses_.front());
      responses_.pop_front();
      StartWrite(&response_);
    }
  }

  void Ask(uint64_t query_id, bool known) {
    v1::IngestResponse response;
    response.mutable_query()->set_query_id(query_id);
    if (known) {
      response.mutable_query()->mutable_report();
    }
    responses_.push_back(std::move(response));
    GoOn();
  }

 private:
  void End(grpc::Status status) {
    if (!ended_) {
      ended_ = std::move(status);
    }
    GoOn();
  }

  void Receive() {
    switch (request_.message_case()) {
      case v1::IngestRequest::kHello:
        return Greet();
      case v1::IngestRequest::kEvent:
        return Keep(request_.event());
      case v1::IngestRequest::kReport:
        collector_.reports.push_back(request_.report());
        return;
      case v1::IngestRequest::kQueryResult:
        collector_.answers.push_back(request_.query_result());
        return;
      case v1::IngestRequest::MESSAGE_NOT_SET:
        return;
    }
  }

  void Greet() {
    store_epoch_ = request_.hello().store_epoch();
    collector_.hellos.push_back(request_.hello());
    if (collector_.refuse_streams_ > 0) {
      --collector_.refuse_streams_;
      return End({grpc::StatusCode::UNAVAILABLE, "told to refuse"});
    }
    if (collector_.drop_streams_ > 0) {
      --collector_.drop_streams_;
      drop_after_ = collector_.drop_after_;
    }
    if (!collector_.nonsense_.empty()) {
      nonsense_ = collector_.nonsense_.front();
      collector_.nonsense_.erase(collector_.nonsense_.begin());
    }
    if (nonsense_ == Nonsense::kQueryBeforeGreeting) {
      return Ask(1, true);
    }
    v1::IngestResponse greeting;
    greeting.mutable_ack()->set_store_epoch(store_epoch_);
    greeting.mutable_ack()->set_collector_epoch(collector_.epoch_);
    greeting.mutable_ack()->set_collector_version(collector_.version_);
    if (nonsense_ == Nonsense::kAckWithoutEpoch) {
      greeting.mutable_ack()->clear_collector_epoch();
    }
    responses_.push_back(std::move(greeting));
    GoOn();
  }

  void Keep(const v1::EventEnvelope& envelope) {
    const v1::Event& event = envelope.event();
    ++collector_.events_received;
    collector_.most_unacknowledged = std::max(collector_.most_unacknowledged, ++unacknowledged_);
    if (!unsent_ack_) {
      unsent_ack_.emplace();
    }
    unsent_ack_->set_store_epoch(store_epoch_);
    unsent_ack_->set_seq(envelope.seq());
    if (collector_.rejected_.contains(event.event_id())) {
      unsent_ack_->add_rejected()->set_event_id(event.event_id());
    } else {
      uint32_t& revision = collector_.events[event.event_id()];
      revision = std::max(revision, event.revision());
    }
    if (nonsense_ == Nonsense::kAckBeyondSent) {
      unsent_ack_->set_seq(envelope.seq() + 1'000'000);
    } else if (nonsense_ == Nonsense::kAckOfAnotherStore) {
      unsent_ack_->set_store_epoch("somebody else's");
    }
    if (drop_after_ > 0 && --drop_after_ == 0) {
      return End({grpc::StatusCode::UNAVAILABLE, "told to drop"});
    }
    GoOn();
  }

  FakeCollector& collector_;
  v1::IngestRequest request_;
  v1::IngestResponse response_;
  std::deque<v1::IngestResponse> responses_;
  std::optional<v1::Ack> unsent_ack_;
  std::optional<grpc::Status> ended_;
  std::optional<Nonsense> nonsense_;
  std::string store_epoch_;
  uint64_t unacknowledged_ = 0;
  int drop_after_ = 0;
  bool writing_ = false;
  bool finished_ = false;
};

FakeCollector::FakeCollector(std::string address) : address_(std::move(address)) { Serve(); }

FakeCollector::~FakeCollector() { Stop(); }

void FakeCollector::Serve() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials());
  builder.RegisterService(this);
  // Tests let agents ask more often whether anybody is there than a real collector would bear.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10);
  server_ = builder.BuildAndStart();
}

void FakeCollector::Stop() {
  if (server_ != nullptr) {
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
}

void FakeCollector::RefuseStreams(int streams) {
  std::lock_guard lock(mutex_);
  refuse_streams_ = streams;
}

void FakeCollector::DropAfter(int drop_events, int streams) {
  std::lock_guard lock(mutex_);
  drop_after_ = drop_events;
  drop_streams_ = streams;
}

void FakeCollector::Say(std::vector<Nonsense> nonsense) {
  std::lock_guard lock(mutex_);
  nonsense_ = std::move(nonsense);
}

void FakeCollector::HoldAcks() {
  std::lock_guard lock(mutex_);
  hold_acks_ = true;
}

void FakeCollector::ReleaseAcks() {
  std::lock_guard lock(mutex_);
  hold_acks_ = false;
  for (Stream* stream : streams_) {
    stream->GoOn();
  }
}

void FakeCollector::Upgrade() {
  std::lock_guard lock(mutex_);
  rejected_.clear();
  version_ = "2";
}

void FakeCollector::Reject(const std::string& event_id) {
  std::lock_guard lock(mutex_);
  rejected_.insert(event_id);
}

void FakeCollector::ReplaceStore(const std::string& epoch) {
  std::lock_guard lock(mutex_);
  epoch_ = epoch;
  events.clear();
}

void FakeCollector::AskReport(uint64_t query_id) {
  std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) {
    stream->Ask(query_id, true);
  }
}

void FakeCollector::AskUnknown(uint64_t query_id) {
  std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) {
    stream->Ask(query_id, false);
  }
}

bool FakeCollector::Await(const std::function<bool()>& done) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(20), done);
}

grpc::ServerBidiReactor<v1::IngestRequest, v1::IngestResponse>* FakeCollector::Ingest(
    grpc::CallbackServerContext* /*context*/) {
  return new Stream(*this);
}

}  // namespace oombox
