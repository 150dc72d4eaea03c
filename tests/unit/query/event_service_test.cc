#include <gmock/gmock.h>

#include "tests/unit/query/fixture.h"

namespace oombox {
namespace {

using grpc::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

class EventServiceTest : public QueryServerFixture {
 protected:
  grpc::Status List(const v1::ListEventsRequest& request, v1::ListEventsResponse* response) {
    grpc::ClientContext context;
    return events_->ListEvents(&context, request, response);
  }

  grpc::Status Get(const std::string& reference, v1::GetEventResponse* response) {
    grpc::ClientContext context;
    v1::GetEventRequest request;
    request.set_reference(reference);
    return events_->GetEvent(&context, request, response);
  }

  static std::vector<std::string> Ids(const v1::ListEventsResponse& response) {
    std::vector<std::string> ids;
    for (const v1::Event& event : response.events()) {
      ids.push_back(event.event_id());
    }
    return ids;
  }
};

TEST_F(EventServiceTest, ListsPageByPageTheNewestFirst) {
  for (uint64_t i = 1; i <= 5; ++i) {
    Put(TestOom(i));
  }
  v1::ListEventsRequest request;
  request.set_page_size(2);

  std::vector<std::string> seen;
  v1::ListEventsResponse response;
  do {
    response.Clear();
    ASSERT_TRUE(List(request, &response).ok());
    ASSERT_LE(response.events_size(), 2);
    for (const std::string& id : Ids(response)) {
      seen.push_back(id);
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());

  EXPECT_THAT(seen, ElementsAre(TestId(5), TestId(4), TestId(3), TestId(2), TestId(1)));
}

TEST_F(EventServiceTest, ALastPageThatIsFullHasNoToken) {
  Put(TestOom(1));
  v1::ListEventsRequest request;
  request.set_page_size(1);

  v1::ListEventsResponse response;
  ASSERT_TRUE(List(request, &response).ok());

  EXPECT_EQ(response.events_size(), 1);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(EventServiceTest, GivesTheBasicViewUnlessAskedForMore) {
  Put(TestOom(1));
  v1::ListEventsRequest request;

  v1::ListEventsResponse response;
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.events(0).view(), v1::EVENT_VIEW_BASIC);

  request.set_view(v1::EVENT_VIEW_FULL);
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.events(0).view(), v1::EVENT_VIEW_FULL);
}

TEST_F(EventServiceTest, RefusesATokenWithOtherArguments) {
  Put(TestOom(1));
  Put(TestOom(2));
  v1::ListEventsRequest request;
  request.set_page_size(1);
  v1::ListEventsResponse response;
  ASSERT_TRUE(List(request, &response).ok());
  request.set_page_token(response.next_page_token());
  request.set_filter("kind = oom");

  const grpc::Status status = List(request, &response);

  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("other arguments"));
}

TEST_F(EventServiceTest, SaysWhereAFilterMakesNoSense) {
  v1::ListEventsRequest request;
  request.set_filter("kind = oom AND colour = red");

  v1::ListEventsResponse response;
  const grpc::Status status = List(request, &response);

  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("filter, character 16: no field 'colour'"));
}

TEST_F(EventServiceTest, RefusesANegativePageSize) {
  v1::ListEventsRequest request;
  request.set_page_size(-1);

  v1::ListEventsResponse response;
  EXPECT_EQ(List(request, &response).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(EventServiceTest, RefusesARequestAboveItsLimit) {
  v1::ListEventsRequest request;
  request.set_filter(std::string(100'000, ' '));

  v1::ListEventsResponse response;
  EXPECT_EQ(List(request, &response).error_code(), StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(EventServiceTest, StaysBelowTheLimitOfAResponseAndLosesNothing) {
  constexpr uint64_t kEvents = 40;
  for (uint64_t i = 0; i < kEvents; ++i) {
    v1::Event event = TestOom(i);
    event.mutable_oom()->mutable_victims(0)->set_cmdline(std::string(200u << 10, 'x'));
    Put(event);
  }
  v1::ListEventsRequest request;
  request.set_view(v1::EVENT_VIEW_FULL);
  request.set_page_size(1000);

  size_t seen = 0;
  v1::ListEventsResponse response;
  do {
    response.Clear();
    const grpc::Status status = List(request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_LT(response.ByteSizeLong(), 4u << 20);
    seen += static_cast<size_t>(response.events_size());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());

  EXPECT_EQ(seen, kEvents);
}

TEST_F(EventServiceTest, SaysWhoseEventsAreMissing) {
  nodes_.Add("a", v1::Coverage::STATE_COMPLETE);
  for (int i = 0; i < 25; ++i) {
    nodes_.Add(fmt::format("silent-{}", i), v1::Coverage::STATE_UNKNOWN);
  }

  v1::ListEventsResponse response;
  ASSERT_TRUE(List({}, &response).ok());

  EXPECT_EQ(response.coverage().nodes_known(), 26u);
  EXPECT_EQ(response.coverage().nodes_complete(), 1u);
  EXPECT_EQ(response.coverage().incomplete_nodes_size(), 20);
  EXPECT_EQ(response.coverage().incomplete_nodes(0).node_name(), "silent-0");
}

TEST_F(EventServiceTest, GetsByReferenceAndTellsTheFailuresApart) {
  Put(TestOom(11));
  Put(TestOom(12));
  v1::GetEventResponse response;

  ASSERT_TRUE(Get("latest", &response).ok());
  EXPECT_EQ(response.event().event_id(), TestId(12));
  EXPECT_EQ(response.event().oom().cgroups_size(), 4);
  EXPECT_EQ(Get(TestId(1).substr(0, 14), &response).error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Get("zzzz", &response).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(Get("no such", &response).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(EventServiceTest, Annotates) {
  Put(TestOom(1));
  v1::AnnotateEventRequest request;
  request.set_reference("latest");
  (*request.mutable_annotations())["ticket"] = "OPS-1";

  grpc::ClientContext context;
  v1::AnnotateEventResponse response;
  ASSERT_TRUE(events_->AnnotateEvent(&context, request, &response).ok());

  EXPECT_EQ(response.event().oom().annotations().at("ticket"), "OPS-1");
  EXPECT_EQ(response.event().revision(), 2u);
}

TEST_F(EventServiceTest, ExplainsWithTheHistoryOfTheWorkload) {
  Put(TestOom(1));
  Put(TestOom(2));
  auto diagnosis = v1::DiagnosisService::NewStub(channel_);
  v1::ExplainEventRequest request;
  request.set_reference("latest");

  grpc::ClientContext context;
  v1::ExplainEventResponse response;
  ASSERT_TRUE(diagnosis->ExplainEvent(&context, request, &response).ok());

  EXPECT_EQ(response.event().event_id(), TestId(2));
  EXPECT_EQ(response.diagnosis().workload_kills(), 2u);
  EXPECT_EQ(response.diagnosis().workload_first_kill_time().seconds(),
            TestOom(1).event_time().seconds());
  EXPECT_NE(response.diagnosis().verdict(), "");
}

}  // namespace
}  // namespace oombox
