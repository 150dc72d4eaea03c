#include "agent/common/state_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace oombox {
namespace {

using ::testing::HasSubstr;

class StateDirTest : public ::testing::Test {
 protected:
  ~StateDirTest() override { std::filesystem::remove_all(path_); }

  const std::string path_ = ::testing::TempDir() + fmt::format("state-dir-test-{}", getpid());
};

TEST_F(StateDirTest, CreatesTheFolderForItsOwnerAndGroupOnly) {
  const auto dir = StateDir::Open(path_ + "/below", "agent");

  ASSERT_TRUE(dir.has_value()) << dir.error().message;
  const auto permissions = std::filesystem::status(path_ + "/below").permissions();
  EXPECT_EQ(permissions & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(StateDirTest, IsHeldByOneAtATime) {
  auto first = StateDir::Open(path_, "agent");
  ASSERT_TRUE(first.has_value());

  const auto second = StateDir::Open(path_, "agent");
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("--state-dir"));

  first = MakeError(ErrorCode::kInternal, "let go");
  EXPECT_TRUE(StateDir::Open(path_, "agent").has_value());
}

TEST_F(StateDirTest, NamesThePathThatCannotBeCreated) {
  const auto dir = StateDir::Open("/proc/nowhere/state", "agent");

  ASSERT_FALSE(dir.has_value());
  EXPECT_EQ(dir.error().code, ErrorCode::kPermission);
  EXPECT_THAT(dir.error().message, HasSubstr("/proc/nowhere/state"));
}

}  // namespace
}  // namespace oombox
