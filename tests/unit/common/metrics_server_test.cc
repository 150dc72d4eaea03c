#include "agent/common/metrics_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cmath>

#include "agent/common/metric_list.h"
#include "agent/common/unique_fd.h"

namespace oombox {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<prometheus::MetricFamily> OneCounter() {
  MetricList list;
  list.Counter("oombox_sample_total", "A sample.", 7);
  return list.Take();
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string Get(uint16_t port, const std::string& path) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return "no connection";
  }
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char bytes[4096];
  for (ssize_t n = 0; (n = ::recv(fd.get(), bytes, sizeof bytes, 0)) > 0;) {
    answer.append(bytes, static_cast<size_t>(n));
  }
  return answer;
}

// One server for both tests: after a scrape its end takes up to two seconds.
class MetricsScrapeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = MetricsServer::Start("127.0.0.1:0", [] {
      MetricList list;
      list.Gauge("oombox_sample", "A sample.", value_);
      return list.Take();
    });
  }
  static void TearDownTestSuite() { server_ = {}; }
  void SetUp() override { ASSERT_TRUE(server_) << server_.error().message; }

  static inline std::atomic<double> value_ = 1;
  static inline Result<std::unique_ptr<MetricsServer>> server_;
};

TEST_F(MetricsScrapeTest, ServesWhatIsCollectedAtTheMomentOfTheScrape) {
  EXPECT_THAT(Get((*server_)->port(), "/metrics"), HasSubstr("\noombox_sample 1\n"));

  value_ = 2;

  EXPECT_THAT(Get((*server_)->port(), "/metrics"), HasSubstr("\noombox_sample 2\n"));
}

TEST_F(MetricsScrapeTest, ServesNothingElse) {
  for (const char* path : {"/", "/etc/passwd", "/../../../../etc/passwd"}) {
    EXPECT_THAT(Get((*server_)->port(), path), Not(StartsWith("HTTP/1.0 200"))) << path;
    EXPECT_THAT(Get((*server_)->port(), path), Not(HasSubstr("root:"))) << path;
  }
}

TEST(MetricsServerTest, IsGoneAfterItsEnd) {
  auto server = MetricsServer::Start("127.0.0.1:0", OneCounter);
  ASSERT_TRUE(server) << server.error().message;
  const uint16_t port = (*server)->port();

  server->reset();

  EXPECT_EQ(Get(port, "/metrics"), "no connection");
}

TEST(MetricsServerTest, SaysThatAnotherProgramHasThePortAndWhatToDo) {
  const auto first = MetricsServer::Start("127.0.0.1:0", OneCounter);
  ASSERT_TRUE(first) << first.error().message;

  const auto second =
      MetricsServer::Start(fmt::format("127.0.0.1:{}", (*first)->port()), OneCounter);

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("another program has it"));
  EXPECT_THAT(second.error().message, HasSubstr("metrics-listen"));
}

TEST(MetricsServerTest, SaysThatTheAddressIsNotThisMachines) {
  const auto server = MetricsServer::Start("192.0.2.1:9464", OneCounter);  // RFC 5737: nobody's

  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::kPermission);
  EXPECT_THAT(server.error().message, HasSubstr("no such address"));
}

TEST(MetricsServerTest, RefusesWhatIsNoAddressAndShowsOne) {
  for (const char* address :
       {"", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:9464s", "127.0.0.1:1,127.0.0.1:2", "host.example:9464",
        "::1:9464", "[127.0.0.1]:9464", "[]:9464", "+9464"}) {
    const auto server = MetricsServer::Start(address, OneCounter);
    ASSERT_FALSE(server) << address;
    EXPECT_EQ(server.error().code, ErrorCode::kInvalid) << address;
    EXPECT_THAT(server.error().message, HasSubstr("127.0.0.1:9464")) << address;
    EXPECT_FALSE(CheckMetricsAddress(address)) << address;
  }
}

TEST(MetricsServerTest, TakesLoopbackByNameAndBothFamilies) {
  for (const char* address : {"127.0.0.1:9464", "localhost:9464", "[::1]:9464", "0.0.0.0:9464"}) {
    EXPECT_TRUE(CheckMetricsAddress(address)) << address;
  }
}

TEST(MetricListTest, PutsSamplesOfOneNameIntoOneFamily) {
  MetricList list;
  list.Counter("a_total", "A.", 1, {{"cause", "x"}});
  list.Gauge("b", "B.", 2);
  list.Counter("a_total", "A.", 3, {{"cause", "y"}});

  const auto families = list.Take();

  ASSERT_EQ(families.size(), 2u);
  ASSERT_EQ(families[0].metric.size(), 2u);
  EXPECT_EQ(families[0].metric[1].counter.value, 3);
  EXPECT_EQ(families[0].metric[1].label[0].value, "y");
}

TEST(MetricListTest, MakesBucketsCumulativeAndEndsThemWithInfinity) {
  MetricList list;
  list.Histogram("a_seconds", "A.",
                 {.count = 6,
                  .sum = 9'000'000'000,
                  .buckets = {{1'000'000'000, 1}, {2'000'000'000, 2}, {0, 3}}},
                 kNsPerSecond);

  const auto histogram = list.Take().at(0).metric.at(0).histogram;

  EXPECT_EQ(histogram.sample_count, 6u);
  EXPECT_DOUBLE_EQ(histogram.sample_sum, 9);
  ASSERT_EQ(histogram.bucket.size(), 3u);
  EXPECT_DOUBLE_EQ(histogram.bucket[0].upper_bound, 1);
  EXPECT_EQ(histogram.bucket[1].cumulative_count, 3u);
  EXPECT_EQ(histogram.bucket[2].cumulative_count, 6u);
  EXPECT_TRUE(std::isinf(histogram.bucket[2].upper_bound));
}

}  // namespace
}  // namespace oombox
