// A real OOM kill, and what the log of this machine's kernel says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>

#include "agent/capture/cgroup_kills.h"
#include "agent/capture/kernel_log.h"

namespace oombox {
namespace {

// What memhog prints of itself: it saw its child's wait status. Empty where it can make no kill.
std::string MakeKill() {
  FILE* pipe = ::popen(OOMBOX_MEMHOG " grow --limit 16Mi 2>&1", "r");
  std::string output;
  std::array<char, 4096> buffer{};
  for (size_t length = 0; (length = ::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), length);
  }
  const bool killed = ::pclose(pipe) == 0 && output.find("\"sigkilled\":true") != std::string::npos;
  if (!killed) {
    std::printf("%s\n", output.c_str());
  }
  return killed ? output : "";
}

std::string Field(const std::string& json, const std::string& pattern) {
  std::smatch match;
  return std::regex_search(json, match, std::regex(pattern)) ? match[1].str() : "";
}

TEST(KernelLogKillTest, FindsAKillWithTheNameAndCgroupOfTheProcess) {
  auto log = KernelLog::Open();
  if (!log) {
    GTEST_SKIP() << log.error().message;
  }
  const std::string truth = MakeKill();
  if (truth.empty()) {
    GTEST_SKIP() << "memhog can make no OOM kill here: root and a memory cgroup are needed";
  }

  const auto kills = log->KillsBetween(
      std::stoull(Field(truth, "\"start\":\\{\"wall_ns\":\\d+,\"boottime_ns\":(\\d+)")),
      std::stoull(Field(truth, "\"end\":\\{\"wall_ns\":\\d+,\"boottime_ns\":(\\d+)")));

  ASSERT_TRUE(kills.has_value()) << kills.error().message;
  const auto pid = static_cast<uint32_t>(std::stoul(Field(truth, "\"pid\":(\\d+)")));
  const auto found = std::find_if(kills->begin(), kills->end(),
                                  [&](const LoggedKill& kill) { return kill.tgid == pid; });
  ASSERT_NE(found, kills->end()) << truth;
  EXPECT_EQ(found->comm, "memhog");
  EXPECT_TRUE(found->cgroup_limit);
  EXPECT_EQ(found->uid, 0U);
  EXPECT_EQ(found->oom_score_adj, 500);
  EXPECT_GE(found->anon_bytes.value_or(0), 8U << 20);
  if (found->victim_cgroup) {  // not where too many kills made the kernel suppress its report
    EXPECT_THAT(*found->victim_cgroup, testing::EndsWith(Field(truth, "\"path\":\"([^\"]*)\"")));
    EXPECT_EQ(found->fired_cgroup, found->victim_cgroup);
    EXPECT_EQ(found->limit_bytes, 16U << 20);
  }
}

TEST(KernelLogKillTest, ReadsTheCountersOfThisMachinesCgroups) {
  const auto hierarchy = FindMemoryHierarchy();
  if (!hierarchy) {
    GTEST_SKIP() << hierarchy.error().message;
  }

  const CgroupKillCounts counts = ReadCgroupKills(*hierarchy);

  EXPECT_GE(counts.visited, 1U);
  for (const auto& [path, kills] : counts.kills) {
    EXPECT_TRUE(path.starts_with('/'));
    EXPECT_GT(kills, 0U);
  }
}

}  // namespace
}  // namespace oombox
