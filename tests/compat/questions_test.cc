// A client of an earlier version at a server of today: what it asks is answered in words it knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compat/old_wire.h"
#include "tests/unit/query/call_by_name.h"
#include "tests/unit/query/fixture.h"

namespace oombox {
namespace {

namespace pb = google::protobuf;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class OldClientTest : public QueryServerFixture, public testing::WithParamInterface<const char*> {
 protected:
  // Calls `method` of `service` as the client of then does: `request` in the words of its own
  // message. Null when the call fails.
  std::unique_ptr<pb::Message> Ask(const std::string& service, const std::string& method,
                                   const std::string& request) {
    std::string response;
    const grpc::Status status =
        CallByName(channel_, fmt::format("/oombox.v1.{}/{}", service, method),
                   old_.FromText(method + "Request", request)->SerializeAsString(), &response);
    EXPECT_TRUE(status.ok()) << method << ": " << status.error_message();
    return status.ok() ? old_.Parse(method + "Response", response) : nullptr;
  }
  // The same, as text on one line.
  std::string Asked(const std::string& service, const std::string& method,
                    const std::string& request) {
    const auto response = Ask(service, method, request);
    return response == nullptr ? "no answer" : response->ShortDebugString();
  }
  static std::string TextOf(const pb::Message& message, const std::string& field) {
    return message.GetReflection()->GetString(message,
                                              message.GetDescriptor()->FindFieldByName(field));
  }
  // Ids of the events of a ListEventsResponse of then.
  static std::vector<std::string> Ids(const pb::Message& response) {
    const auto* events = response.GetDescriptor()->FindFieldByName("events");
    std::vector<std::string> ids;
    for (int i = 0; i < response.GetReflection()->FieldSize(response, events); ++i) {
      ids.push_back(
          TextOf(response.GetReflection()->GetRepeatedMessage(response, events, i), "event_id"));
    }
    return ids;
  }

  OldWire old_{GetParam()};
};

TEST_P(OldClientTest, ListsAllEventsPageByPage) {
  for (uint64_t number = 1; number <= 5; ++number) {
    Put(TestOom(number));
  }
  nodes_.Add("node-1", v1::Coverage::STATE_COMPLETE);
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page =
        Ask("EventService", "ListEvents",
            fmt::format(R"(page_size: 2 filter: "kind = oom" page_token: "{}")", token));
    ASSERT_NE(page, nullptr);
    EXPECT_THAT(page->ShortDebugString(), HasSubstr("nodes_known: 1 nodes_complete: 1"));
    for (std::string& id : Ids(*page)) {
      ids.push_back(std::move(id));
    }
    token = TextOf(*page, "next_page_token");
  } while (!token.empty());

  EXPECT_THAT(ids, ElementsAre(TestId(5), TestId(4), TestId(3), TestId(2), TestId(1)));
}

TEST_P(OldClientTest, GetsAndExplainsAnEventWithEverythingThatIsNew) {
  v1::Event event = TestOom(7);
  FillEveryField(event.mutable_oom());
  event.mutable_oom()->clear_superseded_by();
  Put(event);

  EXPECT_THAT(Asked("EventService", "GetEvent", R"(reference: "latest")"),
              AllOf(HasSubstr(TestId(7)), HasSubstr("oom {"), HasSubstr(R"(comm: "comm")")));
  EXPECT_THAT(Asked("DiagnosisService", "ExplainEvent", R"(reference: "latest")"),
              AllOf(HasSubstr(TestId(7)), HasSubstr("diagnosis {"), HasSubstr("verdict:")));
}

TEST_P(OldClientTest, ListsAGapOfACauseItDoesNotKnow) {
  v1::Event gap = TestOom(8);
  gap.mutable_gap()->set_cause(v1::GapEvent::CAUSE_EVICTED);
  gap.mutable_gap()->set_count(3);
  Put(gap);

  EXPECT_THAT(Asked("EventService", "ListEvents", R"(filter: "kind = gap")"),
              AllOf(HasSubstr(TestId(8)), HasSubstr("gap {"), HasSubstr("count: 3")));
}

TEST_P(OldClientTest, AsksForNodesAReportAndTheVersion) {
  nodes_.Add("node-1", v1::Coverage::STATE_INCOMPLETE);

  EXPECT_THAT(Asked("NodeService", "ListNodes", ""),
              AllOf(HasSubstr(R"(node_name: "node-1")"), HasSubstr("STATE_INCOMPLETE")));
  EXPECT_THAT(Asked("NodeService", "GetNodeReport", R"(node_name: "node-1")"),
              HasSubstr(R"(node_name: "node-1")"));
  EXPECT_THAT(Asked("NodeService", "GetVersion", ""), HasSubstr(R"(version: "1.2.3")"));
}

TEST_P(OldClientTest, AnnotatesAnEvent) {
  Put(TestOom(9));

  EXPECT_THAT(Asked("EventService", "AnnotateEvent",
                    fmt::format(R"(reference: "{}" annotations {{ key: "ticket" value: "OPS-1" }})",
                                TestId(9))),
              HasSubstr("OPS-1"));
}

INSTANTIATE_TEST_SUITE_P(Versions, OldClientTest, testing::Values("v0.1", "v0.2"));

}  // namespace
}  // namespace oombox
