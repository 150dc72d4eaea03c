#include "agent/query/query_server.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/unit/query/call_by_name.h"
#include "tests/unit/query/fixture.h"

namespace oombox {
namespace {

using testing::HasSubstr;

class QueryServerTest : public testing::Test {
 protected:
  Result<std::unique_ptr<QueryServer>> Start(const std::string& address) {
    return QueryServer::Start(
        {.listen = {{.address = address, .credentials = grpc::InsecureServerCredentials()}},
         .component = "oombox-test"},
        *store_, nodes_);
  }

  static grpc::Status AskVersion(const std::string& address) {
    auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{10});
    v1::GetVersionResponse response;
    return v1::NodeService::NewStub(channel)->GetVersion(&context, {}, &response);
  }

  TempDir dir_;
  FakeDirectory nodes_;
  std::unique_ptr<EventStore> store_ = EventStore::Open({.path = dir_.File("events.db")}).value();
};

TEST_F(QueryServerTest, ServesOnAUnixSocketForOwnerAndGroup) {
  const std::string path = dir_.File("run/agent.sock");
  const auto server = Start("unix:" + path);
  ASSERT_TRUE(server.has_value()) << server.error().message;

  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0660u);
  EXPECT_TRUE(AskVersion("unix:" + path).ok());
}

TEST_F(QueryServerTest, TakesItsSocketWithItWhenItEnds) {
  const std::string path = dir_.File("agent.sock");
  auto server = Start("unix:" + path);
  ASSERT_TRUE(server.has_value());

  (*server)->Shutdown(std::chrono::seconds{5});

  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(Start("unix:" + path).has_value());
}

TEST_F(QueryServerTest, RefusesASocketThatIsInUse) {
  const auto first = Start("unix:" + dir_.File("agent.sock"));
  ASSERT_TRUE(first.has_value());

  const auto second = Start("unix:" + dir_.File("agent.sock"));

  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(AskVersion("unix:" + dir_.File("agent.sock")).ok());
}

TEST_F(QueryServerTest, RefusesAPortThatIsInUse) {
  const auto first = Start("127.0.0.1:0");
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const std::string address = fmt::format("127.0.0.1:{}", (*first)->ports()[0]);

  const auto second = Start(address);

  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(address));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  EXPECT_TRUE(AskVersion(address).ok());
}

TEST_F(QueryServerTest, SaysWhatIsWrongWithAnAddress) {
  // Nobody is asked for what is no host.
  EXPECT_EQ(Start("[no address").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Start("192.0.2.1:5137").error().code, ErrorCode::kPermission);
}

TEST_F(QueryServerTest, IsHealthyAsAWholeAndForEachService) {
  const auto server = Start("127.0.0.1:0").value();
  const std::vector<std::string> names = {"", "oombox.v1.EventService", "oombox.v1.NodeService",
                                          "oombox.v1.DiagnosisService"};
  for (const std::string& name : names) {
    // HealthCheckRequest{service = 1}, HealthCheckResponse{status = 1: SERVING}.
    std::string request;
    if (!name.empty()) {
      request = std::string("\x0a") + static_cast<char>(name.size()) + name;
    }
    std::string response;
    const grpc::Status status =
        CallByName(server->InProcessChannel(), "/grpc.health.v1.Health/Check", request, &response);
    EXPECT_TRUE(status.ok()) << name << ": " << status.error_message();
    EXPECT_EQ(response, std::string("\x08\x01")) << name;
  }
}

TEST_F(QueryServerTest, ReflectsItsServices) {
  const auto server = Start("127.0.0.1:0").value();

  // ServerReflectionRequest{list_services = 7: ""}; the one-message stream reads like a unary call.
  std::string response;
  const grpc::Status status = CallByName(
      server->InProcessChannel(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      std::string("\x3a\x00", 2), &response);

  ASSERT_TRUE(status.ok()) << status.error_message();
  for (const char* name : {"oombox.v1.EventService", "oombox.v1.NodeService",
                           "oombox.v1.DiagnosisService", "grpc.health.v1.Health"}) {
    EXPECT_THAT(response, HasSubstr(name));
  }
}

TEST_F(QueryServerTest, ShutdownIsDoneOnce) {
  auto server = Start("127.0.0.1:0");
  ASSERT_TRUE(server.has_value());

  (*server)->Shutdown(std::chrono::seconds{5});
  (*server)->Shutdown(std::chrono::seconds{5});
}

}  // namespace
}  // namespace oombox
