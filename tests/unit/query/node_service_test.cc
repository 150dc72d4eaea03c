#include <gmock/gmock.h>

#include "tests/unit/query/fixture.h"

namespace oombox {
namespace {

class NodeServiceTest : public QueryServerFixture {
 protected:
  std::unique_ptr<v1::NodeService::Stub> stub_ = v1::NodeService::NewStub(channel_);
  grpc::ClientContext context_;
};

TEST_F(NodeServiceTest, ListsNodesInOrderPageByPage) {
  for (const char* name : {"c", "a", "d", "b"}) {
    nodes_.Add(name, v1::Coverage::STATE_COMPLETE);
  }
  v1::ListNodesRequest request;
  request.set_page_size(3);

  std::string seen;
  v1::ListNodesResponse response;
  do {
    grpc::ClientContext context;
    response.Clear();
    ASSERT_TRUE(stub_->ListNodes(&context, request, &response).ok());
    for (const v1::NodeStatus& node : response.nodes()) {
      seen += node.report().node().node_name();
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());

  EXPECT_EQ(seen, "abcd");
}

TEST_F(NodeServiceTest, RefusesANegativePageSize) {
  v1::ListNodesRequest request;
  request.set_page_size(-1);

  v1::ListNodesResponse response;
  EXPECT_EQ(stub_->ListNodes(&context_, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(NodeServiceTest, AsksTheNodeForAReportMadeNow) {
  nodes_.Add("a", v1::Coverage::STATE_COMPLETE);
  v1::GetNodeReportRequest request;
  request.set_node_name("a");

  v1::GetNodeReportResponse response;
  ASSERT_TRUE(stub_->GetNodeReport(&context_, request, &response).ok());

  EXPECT_EQ(response.report().agent_version(), "in time");
}

TEST_F(NodeServiceTest, SaysThatANodeIsNotConnected) {
  v1::GetNodeReportRequest request;
  request.set_node_name("gone");

  v1::GetNodeReportResponse response;
  const grpc::Status status = stub_->GetNodeReport(&context_, request, &response);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "node 'gone' is not connected");
}

TEST_F(NodeServiceTest, TellsItsVersion) {
  v1::GetVersionResponse response;
  ASSERT_TRUE(stub_->GetVersion(&context_, {}, &response).ok());

  EXPECT_EQ(response.component(), "oombox-test");
  EXPECT_EQ(response.version(), "1.2.3");
  EXPECT_GT(response.start_time().seconds(), 0);
}

}  // namespace
}  // namespace oombox
