#include "agent/query/listen_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>

#include "agent/common/unique_fd.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::HasSubstr;

UniqueFd BindSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

TEST(ListenAddressTest, KnowsUnixSockets) {
  EXPECT_EQ(UnixSocketPath("unix:/run/x.sock"), "/run/x.sock");
  EXPECT_EQ(UnixSocketPath("unix:///run/x.sock"), "/run/x.sock");
  EXPECT_EQ(UnixSocketPath("unix:x.sock"), "x.sock");
  EXPECT_EQ(UnixSocketPath("127.0.0.1:5137"), std::nullopt);
}

TEST(ListenAddressTest, CreatesTheDirectory) {
  TempDir dir;

  ASSERT_TRUE(MakeWayForUnixSocket(dir.File("a/b/x.sock")).has_value());

  EXPECT_TRUE(std::filesystem::is_directory(dir.File("a/b")));
}

TEST(ListenAddressTest, RemovesTheSocketOfAServerThatIsGone) {
  TempDir dir;
  const std::string path = dir.File("x.sock");
  BindSocket(path);
  ASSERT_TRUE(std::filesystem::exists(path));

  ASSERT_TRUE(MakeWayForUnixSocket(path).has_value());

  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ListenAddressTest, LeavesTheSocketOfALiveServerAlone) {
  TempDir dir;
  const std::string path = dir.File("x.sock");
  const UniqueFd live = BindSocket(path);
  ASSERT_EQ(::listen(live.get(), 1), 0);

  const Status status = MakeWayForUnixSocket(path);

  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(status.error().message, HasSubstr("another server answers"));
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenAddressTest, NeverRemovesAFileThatIsNoSocket) {
  TempDir dir;
  std::ofstream(dir.File("x.sock")) << "data";

  const Status status = MakeWayForUnixSocket(dir.File("x.sock"));

  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(std::filesystem::exists(dir.File("x.sock")));
}

TEST(ListenAddressTest, RefusesAPathThatTheKernelCannotTake) {
  EXPECT_EQ(MakeWayForUnixSocket("/tmp/" + std::string(200, 'x')).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(MakeWayForUnixSocket("").error().code, ErrorCode::kInvalid);
}

TEST(ListenAddressTest, SaysThatADirectoryCannotBeMade) {
  TempDir dir;
  std::ofstream(dir.File("file")) << "x";

  const Status status = MakeWayForUnixSocket(dir.File("file/x.sock"));

  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kPermission);
  EXPECT_THAT(status.error().message, HasSubstr("Not a directory"));
}

}  // namespace
}  // namespace oombox
