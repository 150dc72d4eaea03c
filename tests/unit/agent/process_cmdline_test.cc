#include "agent/process_cmdline.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

class ProcessCmdlineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_.File("proc/42"));
    std::ofstream(dir_.File("proc/42/stat"))
        << "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1234 20 21\n";
    std::ofstream(dir_.File("proc/42/cmdline"), std::ios::binary)
        << std::string("python3\0app.py\0", 15);
  }

  std::string Read(uint32_t tgid, uint64_t ticks) {
    const auto per_second = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
    return ReadCmdline(tgid, ticks * (1'000'000'000 / per_second) + 5, dir_.path());
  }

  TempDir dir_;
};

TEST_F(ProcessCmdlineTest, ReadsTheProcessThatBeganThen) {
  EXPECT_EQ(JoinArguments(Read(42, 1234)), "python3 app.py");
}

TEST_F(ProcessCmdlineTest, TakesNoOtherProcessWithTheSamePid) {
  EXPECT_EQ(Read(42, 1235), "");
  EXPECT_EQ(Read(43, 1234), "");
}

}  // namespace
}  // namespace oombox
