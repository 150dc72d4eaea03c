#include "agent/query/call_counts.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/unit/query/fixture.h"

namespace oombox {
namespace {

class CallCountsTest : public testing::Test {
 protected:
  CallCountsTest()
      : store_(EventStore::Open({.path = dir_.File("events.db")}).value()),
        server_(QueryServer::Start({.component = "oombox-test", .call_counts = &counts_}, *store_,
                                   nodes_)
                    .value()),
        events_(v1::EventService::NewStub(server_->InProcessChannel())) {}

  grpc::Status Get(const std::string& reference) {
    grpc::ClientContext context;
    v1::GetEventRequest request;
    request.set_reference(reference);
    v1::GetEventResponse response;
    return events_->GetEvent(&context, request, &response);
  }
  // The server's last word may reach the client before it is counted: ends the server first.
  uint64_t CallsAtTheEnd(const std::string& method, const std::string& code) {
    server_->Shutdown(std::chrono::seconds{5});
    for (const CallCounts::Count& count : counts_.Read()) {
      if (count.method == method && count.code == code) {
        return count.calls;
      }
    }
    return 0;
  }

  TempDir dir_;
  FakeDirectory nodes_;
  CallCounts counts_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<QueryServer> server_;
  std::unique_ptr<v1::EventService::Stub> events_;
};

TEST_F(CallCountsTest, CountsAnAnswer) {
  grpc::ClientContext context;
  v1::ListEventsResponse response;
  ASSERT_TRUE(events_->ListEvents(&context, {}, &response).ok());

  EXPECT_EQ(CallsAtTheEnd("EventService/ListEvents", "OK"), 1u);
}

TEST_F(CallCountsTest, CountsARefusalUnderItsStatus) {
  ASSERT_EQ(Get("zzzzzzzz").error_code(), grpc::StatusCode::NOT_FOUND);
  ASSERT_EQ(Get("zzzzzzzz").error_code(), grpc::StatusCode::NOT_FOUND);

  EXPECT_EQ(CallsAtTheEnd("EventService/GetEvent", "NOT_FOUND"), 2u);
  EXPECT_EQ(CallsAtTheEnd("EventService/GetEvent", "OK"), 0u);
}

TEST_F(CallCountsTest, ShowsEveryMethodOfTheServicesBeforeItsFirstCall) {
  std::vector<std::string> methods;
  for (const CallCounts::Count& count : counts_.Read()) {
    EXPECT_EQ(count.code, "OK");
    EXPECT_EQ(count.calls, 0u);
    methods.push_back(count.method);
  }

  EXPECT_THAT(methods, testing::IsSupersetOf({"EventService/WatchEvents", "NodeService/ListNodes",
                                              "DiagnosisService/ExplainEvent"}));
}

TEST_F(CallCountsTest, GrowsByNothingThatAClientMakesUp) {
  const size_t before = counts_.Read().size();
  grpc::GenericStub stub(server_->InProcessChannel());
  for (const char* method : {"/oombox.v1.EventService/Made", "/oombox.v1.Up/Made", "/made/up"}) {
    grpc::ClientContext context;
    const grpc::Slice empty("");
    const grpc::ByteBuffer request(&empty, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> status;
    stub.UnaryCall(&context, method, {}, &request, &response,
                   [&status](grpc::Status s) { status.set_value(std::move(s)); });
    EXPECT_EQ(status.get_future().get().error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
  }
  server_->Shutdown(std::chrono::seconds{5});

  EXPECT_EQ(counts_.Read().size(), before);
}

}  // namespace
}  // namespace oombox
