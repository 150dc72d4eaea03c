#include "agent/capture/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/kill_bytes.h"

namespace oombox {
namespace {

using testing::KillBytes;

TEST(DecodeTest, ReadsVictimTriggerParentAndMemory) {
  const auto kill = DecodeKill(KillBytes().bytes());

  ASSERT_TRUE(kill.has_value()) << kill.error().message;
  EXPECT_EQ(kill->victim.tgid, 4242U);
  EXPECT_EQ(kill->victim.comm, "worker");
  EXPECT_EQ(kill->victim.namespace_pid, 7U);
  EXPECT_EQ(kill->victim.oom_score_adj, 900);
  ASSERT_TRUE(kill->victim.memory.has_value());
  EXPECT_EQ(kill->victim.memory->anon, 90U);
  EXPECT_EQ(kill->trigger_tid, 4243U);
  EXPECT_EQ(kill->parent_comm, "init");
  EXPECT_TRUE(kill->rss_per_cpu);
}

TEST(DecodeTest, ReadsTheChainWithNamesAndTellsNoLimitFromALimit) {
  const auto kill = DecodeKill(KillBytes().bytes());

  ASSERT_TRUE(kill.has_value());
  ASSERT_EQ(kill->levels.size(), 3U);
  EXPECT_EQ(kill->levels[0].name, "a");
  EXPECT_EQ(kill->levels[0].max, 100U);
  EXPECT_EQ(kill->levels[1].name, "pods");
  EXPECT_EQ(kill->levels[1].max, std::nullopt);
  EXPECT_EQ(kill->levels[2].name, "");
  EXPECT_EQ(kill->fired_level, 0U);
}

TEST(DecodeTest, RanksUsersByResidentAndSwappedMemory) {
  KillBytes bytes;
  bytes.AddUser(KillBytes::Process(7, "hog", 500));
  bytes.AddUser(KillBytes::Process(8, "small", 5));

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  ASSERT_EQ(kill->users.size(), 3U);
  EXPECT_EQ(kill->users[0].comm, "hog");
  EXPECT_EQ(kill->users[2].comm, "small");
}

TEST(DecodeTest, LeavesMemoryOfAProcessWithoutMmUnknown) {
  KillBytes bytes;
  bytes.record().victim.flags = OOMBOX_PROCESS_NO_MM;

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_FALSE(kill->victim.memory.has_value());
}

TEST(DecodeTest, TakesNoFiredLevelForTheNode) {
  KillBytes bytes;
  bytes.record().fired_level = OOMBOX_MAX_LEVELS;

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_EQ(kill->fired_level, std::nullopt);
}

TEST(DecodeTest, LeavesACutNameUnknown) {
  KillBytes bytes;
  bytes.record().levels[1].flags = OOMBOX_CGROUP_NAME_CUT;

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_EQ(kill->levels[1].name, std::nullopt);
}

TEST(DecodeTest, KeepsACommOfSixteenBytesWithoutTerminator) {
  KillBytes bytes;
  std::memset(bytes.record().victim.comm, 'x', OOMBOX_COMM_LEN);

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_EQ(kill->victim.comm, std::string(16, 'x'));
}

TEST(DecodeTest, RejectsEveryTruncation) {
  const std::string whole = KillBytes().bytes();

  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeKill(std::string_view(whole).substr(0, size)).has_value()) << size;
  }
}

TEST(DecodeTest, RejectsCountsAndOffsetsOutOfRange) {
  const auto broken = [](auto change) {
    KillBytes bytes;
    change(bytes.record());
    return DecodeKill(bytes.bytes());
  };

  EXPECT_FALSE(broken([](auto& r) { r.level_count = OOMBOX_MAX_LEVELS + 1; }).has_value());
  EXPECT_FALSE(broken([](auto& r) { r.user_count = OOMBOX_MAX_USERS + 1; }).has_value());
  EXPECT_FALSE(broken([](auto& r) { r.levels[0].name_offset = 60000; }).has_value());
  EXPECT_FALSE(broken([](auto& r) { r.levels[0].name_len = 60000; }).has_value());
}

TEST(DecodeTest, TellsARecordOfAnotherVersionFromADamagedOne) {
  std::string bytes = KillBytes().bytes();
  bytes[2] = 99;

  const auto kill = DecodeKill(bytes);

  ASSERT_FALSE(kill.has_value());
  EXPECT_EQ(kill.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(kill.error().message, ::testing::HasSubstr("another version"));
}

}  // namespace
}  // namespace oombox
