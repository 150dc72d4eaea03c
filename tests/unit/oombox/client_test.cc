#include "tools/oombox/client.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "oombox/v1/query.grpc.pb.h"
#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers from a script; a watch can be held open until the test lets go.
class FakeServer final : public v1::EventService::Service {
 public:
  grpc::Status ListEvents(grpc::ServerContext*, const v1::ListEventsRequest* request,
                          v1::ListEventsResponse* response) override {
    if (failures_left-- > 0) {
      return {grpc::StatusCode::UNAVAILABLE, "warming up"};
    }
    page_tokens.push_back(request->page_token());
    if (request->filter() == "bad") {
      return {grpc::StatusCode::INVALID_ARGUMENT, "filter, character 1: no"};
    }
    *response->add_events() = HogEvent();
    *response->mutable_coverage() = CompleteCoverage();
    if (request->page_token().empty()) {
      response->set_next_page_token("second");
    }
    return grpc::Status::OK;
  }

  grpc::Status GetEvent(grpc::ServerContext* context, const v1::GetEventRequest*,
                        v1::GetEventResponse*) override {
    // Never answers: until the client gives up.
    std::unique_lock lock(mutex_);
    while (!context->IsCancelled() && !closing_) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    return grpc::Status::CANCELLED;
  }

  // Sends the next event of the script and drops the stream; the last stream stays until cancelled.
  grpc::Status WatchEvents(grpc::ServerContext* context, const v1::WatchEventsRequest* request,
                           grpc::ServerWriter<v1::WatchEventsResponse>* writer) override {
    std::unique_lock lock(mutex_);
    resume_tokens.push_back(request->resume_token());
    if (!script.empty()) {
      v1::WatchEventsResponse response;
      *response.mutable_event() = script.front();
      response.set_resume_token("after " + script.front().event_id());
      script.erase(script.begin());
      writer->Write(response);
      return {grpc::StatusCode::UNAVAILABLE, "going away"};
    }
    writer->SendInitialMetadata();
    watching = true;
    changed_.notify_all();
    while (!context->IsCancelled() && !closing_) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
    return grpc::Status::CANCELLED;
  }

  void WaitForWatch() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return watching; });
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }

  std::atomic<int> failures_left{0};
  std::vector<v1::Event> script;
  std::vector<std::string> resume_tokens;
  std::vector<std::string> page_tokens;
  bool watching = false;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closing_ = false;
};

class FakeNodes final : public v1::NodeService::Service {
  grpc::Status GetVersion(grpc::ServerContext*, const v1::GetVersionRequest*,
                          v1::GetVersionResponse* response) override {
    response->set_version("7.7.7");
    response->set_component("oombox-collector");
    return grpc::Status::OK;
  }
  grpc::Status ListNodes(grpc::ServerContext*, const v1::ListNodesRequest*,
                         v1::ListNodesResponse* response) override {
    *response->add_nodes() = SilentNode();
    return grpc::Status::OK;
  }
};

class FakeDiagnosis final : public v1::DiagnosisService::Service {
  grpc::Status ExplainEvent(grpc::ServerContext*, const v1::ExplainEventRequest* request,
                            v1::ExplainEventResponse*) override {
    return request->reference() == "aaaa"
               ? grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "ambiguous")
               : grpc::Status(grpc::StatusCode::NOT_FOUND, "no such event\033[2J");
  }
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    directory_ = ::testing::TempDir() + "/oombox-client-XXXXXX";
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(Address(), grpc::InsecureServerCredentials());
    builder.RegisterService(&fake_);
    builder.RegisterService(&nodes_);
    builder.RegisterService(&diagnosis_);
    server_ = builder.BuildAndStart();
  }
  ~ClientTest() override {
    fake_.Close();
    server_->Shutdown();
    ::unlink((directory_ + "/socket").c_str());
    ::rmdir(directory_.c_str());
  }

  std::string Address() const { return "unix:" + directory_ + "/socket"; }
  std::unique_ptr<EventSource> Source(
      std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    ClientOptions options;
    options.address = Address();
    options.timeout = timeout;
    auto source = MakeGrpcSource(options);
    EXPECT_TRUE(source.has_value());
    return std::move(*source);
  }

  std::string directory_;
  FakeServer fake_;
  FakeNodes nodes_;
  FakeDiagnosis diagnosis_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(ClientTest, ListsAllPages) {
  const auto list = Source()->ListEvents({});

  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_EQ(list->events.size(), 2u);
  EXPECT_FALSE(list->more);
  EXPECT_THAT(fake_.page_tokens, ElementsAre("", "second"));
}

TEST_F(ClientTest, StopsAtTheLimitAndSaysThatThereIsMore) {
  ListRequest request;
  request.limit = 1;

  const auto list = Source()->ListEvents(request);

  EXPECT_EQ(list->events.size(), 1u);
  EXPECT_TRUE(list->more);
}

TEST_F(ClientTest, TriesAgainWhileTheServerIsUnavailable) {
  fake_.failures_left = 2;

  EXPECT_TRUE(Source()->ListEvents({}).has_value());
}

TEST_F(ClientTest, GivesUpAfterAFewTries) {
  fake_.failures_left = 1000;

  const auto list = Source()->ListEvents({});

  EXPECT_EQ(list.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(fake_.failures_left, 996);
}

TEST_F(ClientTest, NeverTriesPastTheTimeout) {
  fake_.failures_left = 1000;

  EXPECT_FALSE(Source(std::chrono::milliseconds(150))->ListEvents({}).has_value());
  EXPECT_GE(fake_.failures_left, 997);
}

TEST_F(ClientTest, SaysThatTheAnswerDidNotComeInTime) {
  const auto source = Source(std::chrono::milliseconds(50));
  while (!source->Version()) {  // or it would be the connection that did not come in time
  }

  const auto event = source->GetEvent("latest");

  EXPECT_EQ(event.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(event.error().message, HasSubstr("gave no answer within 50 ms"));
}

TEST_F(ClientTest, PassesOnWhatTheServerSaysOfAFilter) {
  ListRequest request;
  request.filter = "bad";

  const auto list = Source()->ListEvents(request);

  EXPECT_EQ(list.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(list.error().message, HasSubstr("filter, character 1: no"));
}

TEST_F(ClientTest, TellsNotFoundFromAmbiguous) {
  EXPECT_EQ(Source()->Explain("aaaa").error().code, ErrorCode::kAmbiguous);
  EXPECT_EQ(Source()->Explain("bbbb").error().code, ErrorCode::kNotFound);
}

TEST_F(ClientTest, KnowsVersionAndNodes) {
  EXPECT_EQ(Source()->Version()->version(), "7.7.7");
  EXPECT_EQ(Source()->Nodes()->size(), 1u);
}

TEST_F(ClientTest, SaysThatAnUnknownQuestionIsAMatterOfVersions) {
  server_->Shutdown();
  ::unlink((directory_ + "/socket").c_str());
  grpc::ServerBuilder builder;
  builder.AddListeningPort(Address(), grpc::InsecureServerCredentials());
  FakeNodes only_nodes;
  builder.RegisterService(&only_nodes);
  server_ = builder.BuildAndStart();

  EXPECT_THAT(Source()->ListEvents({}).error().message, HasSubstr("oombox version"));
  server_->Shutdown();
}

TEST_F(ClientTest, GoesOnAfterTheLastEventWhenTheStreamBreaks) {
  fake_.script = {HogEvent(), ChildEvent(), NodeEvent()};

  const VerbResult result = RunVerb(Source(), {}, [](const VerbContext& context) {
    WatchOptions options;
    options.count = 3;
    options.backoff = std::chrono::milliseconds(1);
    return RunWatch(options, context, std::stop_token());
  });

  EXPECT_EQ(result.exit_code, kExitOk) << result.error;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 3);
  EXPECT_THAT(fake_.resume_tokens,
              ElementsAre("", "after 4k7qzd0123456789", "after 9f2mca0123456789"));
  EXPECT_THAT(result.notes, HasSubstr("going on after the last event"));
}

TEST_F(ClientTest, EndsWithTheStreamWhenToldNotToReconnect) {
  fake_.script = {HogEvent()};

  const VerbResult result = RunVerb(Source(), {}, [](const VerbContext& context) {
    WatchOptions options;
    options.reconnect = false;
    return RunWatch(options, context, std::stop_token());
  });

  EXPECT_EQ(result.exit_code, kExitUnavailable);
}

TEST_F(ClientTest, EndsAWatchWhenStopped) {
  std::stop_source stop;
  const std::jthread stopper([&] {
    fake_.WaitForWatch();
    stop.request_stop();
  });

  const VerbResult result = RunVerb(Source(), {}, [&](const VerbContext& context) {
    return RunWatch({}, context, stop.get_token());
  });

  EXPECT_EQ(result.exit_code, kExitOk) << result.error;
}

VerbResult ListAt(const std::string& address) {
  ClientOptions options;
  options.address = address;
  options.timeout = std::chrono::seconds(5);
  return RunVerb(std::move(*MakeGrpcSource(options)), {},
                 [](const VerbContext& context) { return RunList({}, context); });
}

TEST(UnreachableTest, SaysWhatToTryWhenTheConnectionIsRefused) {
  // Port 1 of loopback: nobody listens there.
  const VerbResult result = ListAt("127.0.0.1:1");

  EXPECT_EQ(result.exit_code, kExitUnavailable);
  EXPECT_THAT(result.error,
              HasSubstr("cannot reach the collector at 127.0.0.1:1: connection refused\n"));
  EXPECT_THAT(result.error, HasSubstr("oombox --local"));
}

TEST(UnreachableTest, AsksForTheAgentWhenTheSocketIsMissing) {
  const VerbResult result = ListAt("unix:/nonexistent/agent.sock");

  EXPECT_EQ(result.exit_code, kExitUnavailable);
  EXPECT_THAT(result.error, HasSubstr("is the agent running on this node?"));
}

TEST(UnreachableTest, NeverWatchesAServerThatWasNeverThere) {
  ClientOptions options;
  options.address = "unix:/nonexistent/agent.sock";

  const VerbResult result =
      RunVerb(std::move(*MakeGrpcSource(options)), {},
              [](const VerbContext& context) { return RunWatch({}, context, std::stop_token()); });

  EXPECT_EQ(result.exit_code, kExitUnavailable);
}

}  // namespace
}  // namespace oombox
