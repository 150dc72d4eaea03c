// TLS between a client and the real collector over loopback.
#include "agent/common/credentials.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <fstream>

#include "oombox/v1/query.grpc.pb.h"
#include "tests/fakes/certificates.h"
#include "tests/unit/store/fixture.h"
#include "tools/collector/collector.h"

namespace oombox {
namespace {

using testing::HasSubstr;

TEST(IsLocalAddressTest, KnowsWhatStaysOnTheMachine) {
  for (const char* local :
       {"unix:/run/x.sock", "unix:///run/x.sock", "127.0.0.1:5137", "127.8.9.1:1", "[::1]:5137",
        "localhost:5137", "dns:///localhost:5137", "ipv4:127.0.0.1:80"}) {
    EXPECT_TRUE(IsLocalAddress(local)) << local;
  }
  for (const char* remote :
       {"0.0.0.0:5137", "[::]:5137", "10.0.0.1:5137", "127.0.0.1.example.com:5137",
        "localhost.example.com:1", "collector:5137", "ipv4:127.0.0.1:80,10.0.0.1:80", ""}) {
    EXPECT_FALSE(IsLocalAddress(remote)) << remote;
  }
}

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    ca_.Issue("server");
    ca_.Issue("client");
    strangers_.Issue("stranger");
  }

  static TlsFiles Files(const CertificateAuthority& ca, const std::string& name) {
    return {ca.certificate(), ca.certificate_of(name), ca.key_of(name)};
  }

  void StartCollector() {
    CollectorConfig config;
    config.state_dir = dir_.File("state");
    config.listen = {"127.0.0.1:0"};
    config.tls_ca = ca_.certificate();
    config.tls_cert = ca_.certificate_of("server");
    config.tls_key = ca_.key_of("server");
    auto collector = Collector::Start(config);
    ASSERT_TRUE(collector) << collector.error().message;
    collector_ = std::move(*collector);
  }

  grpc::Status Call(const TlsFiles& files) {
    const std::string address = fmt::format("127.0.0.1:{}", collector_->ports()[0]);
    auto credentials = ClientCredentials(address, files, false);
    EXPECT_TRUE(credentials) << credentials.error().message;
    const auto stub = v1::NodeService::NewStub(grpc::CreateChannel(address, *credentials));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    v1::GetVersionResponse response;
    return stub->GetVersion(&context, {}, &response);
  }

  TempDir dir_;
  const CertificateAuthority ca_{dir_.path(), "ca"};
  const CertificateAuthority strangers_{dir_.path(), "other-ca"};
  std::unique_ptr<Collector> collector_;
};

TEST_F(CredentialsTest, AClientWithACertificateOfTheAuthorityIsServed) {
  StartCollector();

  const grpc::Status status = Call(Files(ca_, "client"));

  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(CredentialsTest, AClientWithoutCertificateIsNotServed) {
  StartCollector();

  EXPECT_EQ(Call({ca_.certificate(), "", ""}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CredentialsTest, AClientOfAnotherAuthorityIsNotServed) {
  StartCollector();

  EXPECT_EQ(Call({ca_.certificate(), strangers_.certificate_of("stranger"),
                  strangers_.key_of("stranger")})
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CredentialsTest, AServerOfAnotherAuthorityIsNotTrusted) {
  StartCollector();

  EXPECT_EQ(Call({strangers_.certificate(), ca_.certificate_of("client"), ca_.key_of("client")})
                .error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CredentialsTest, APlaintextClientIsNotServed) {
  StartCollector();

  EXPECT_EQ(Call({}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CredentialsTest, PlaintextToARemoteAddressNeedsTheFlag) {
  const auto refused = ClientCredentials("collector:5137", {}, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("--insecure"));
  EXPECT_FALSE(ServerCredentials("0.0.0.0:5137", {}, false));

  EXPECT_TRUE(ClientCredentials("collector:5137", {}, true));
  EXPECT_TRUE(ServerCredentials("0.0.0.0:5137", {}, true));
}

TEST_F(CredentialsTest, FilesThatCannotBeReadAreNamed) {
  const TlsFiles files{dir_.File("absent.crt"), "", ""};

  const auto credentials = ClientCredentials("collector:5137", files, false);

  ASSERT_FALSE(credentials);
  EXPECT_THAT(credentials.error().message, HasSubstr("absent.crt"));
}

TEST_F(CredentialsTest, AFileThatIsNoPemIsNamed) {
  std::ofstream(dir_.File("empty.crt")) << "nothing";

  const auto credentials =
      ClientCredentials("collector:5137", {dir_.File("empty.crt"), "", ""}, false);

  ASSERT_FALSE(credentials);
  EXPECT_THAT(credentials.error().message, HasSubstr("not a PEM file"));
}

TEST_F(CredentialsTest, ACertificateNeedsItsKey) {
  EXPECT_FALSE(ClientCredentials("c:1", {"", ca_.certificate_of("client"), ""}, false));
  EXPECT_FALSE(ServerCredentials("c:1", {ca_.certificate(), "", ""}, false));
}

}  // namespace
}  // namespace oombox
