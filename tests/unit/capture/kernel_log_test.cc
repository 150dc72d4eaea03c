#include "agent/capture/kernel_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <variant>

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

std::string KilledAt(uint64_t seconds, uint32_t pid) {
  return "3,1," + std::to_string(seconds * 1'000'000) + ",-;Out of memory: Killed process " +
         std::to_string(pid) + " (x) total-vm:4kB\n";
}

// Answers of read(2), one after the other, then "nothing more".
ReadKmsg Answers(std::deque<std::variant<std::string, int>> answers) {
  return [answers = std::move(answers)](std::span<char> buffer) mutable -> int64_t {
    if (answers.empty()) {
      return -EAGAIN;
    }
    const auto answer = answers.front();
    answers.pop_front();
    if (const int* error = std::get_if<int>(&answer)) {
      return -*error;
    }
    const auto& record = std::get<std::string>(answer);
    std::memcpy(buffer.data(), record.data(), record.size());
    return static_cast<int64_t>(record.size());
  };
}

TEST(KernelLogTest, ConvertsTheLogsClockToBoottime) {
  const auto kills = CollectKills(Answers({KilledAt(100, 7)}), 5 * kSecond, 0, UINT64_MAX);

  ASSERT_TRUE(kills.has_value());
  ASSERT_EQ(kills->size(), 1U);
  EXPECT_EQ(kills->front().boottime_ns, 105 * kSecond);
  EXPECT_EQ(kills->front().log_time_us, 100'000'000U);
}

TEST(KernelLogTest, GoesOnWhereTheLogWasOverwritten) {
  const auto kills =
      CollectKills(Answers({KilledAt(100, 7), EPIPE, KilledAt(101, 8)}), 0, 0, UINT64_MAX);

  EXPECT_EQ(kills->size(), 2U);
}

TEST(KernelLogTest, TakesTheKillsOfTheWindowAndTheErrorOfTheLogsClock) {
  const auto kills = CollectKills(
      Answers({KilledAt(9'990, 1), KilledAt(10'000, 2), KilledAt(10'004, 3), KilledAt(10'010, 4)}),
      0, 10'001 * kSecond, 10'003 * kSecond);

  ASSERT_EQ(kills->size(), 2U);  // 100 ppm of 10 000 s is a second
  EXPECT_EQ(kills->front().tgid, 2U);
  EXPECT_EQ(kills->back().tgid, 3U);
}

TEST(KernelLogTest, TellsThatTheLogCannotBeRead) {
  const auto kills = CollectKills(Answers({KilledAt(100, 7), EIO}), 0, 0, UINT64_MAX);

  ASSERT_FALSE(kills.has_value());
  EXPECT_EQ(kills.error().os_error, EIO);
}

TEST(KernelLogTest, ReadsThisMachinesLogAgainAndAgain) {
  auto log = KernelLog::Open();
  if (!log && log.error().code == ErrorCode::kPermission) {
    GTEST_SKIP() << log.error().message;
  }
  if (!log) {
    GTEST_SKIP() << "no kernel log here: " << log.error().message;
  }

  const auto first = log->KillsBetween(0, UINT64_MAX);
  const auto second = log->KillsBetween(0, UINT64_MAX);

  ASSERT_TRUE(first && second);
  // Other processes are killed meanwhile, and the oldest leave the log: nothing else may change.
  EXPECT_TRUE(first->empty() || !second->empty() || first->size() < 3);
}

}  // namespace
}  // namespace oombox
