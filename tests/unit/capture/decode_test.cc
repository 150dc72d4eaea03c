#include "agent/capture/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/decoded.h"
#include "tests/support/kill_bytes.h"
#include "tests/support/kill_bytes_v1.h"

namespace oombox {
namespace {

using testing::DecodeKill;
using testing::KillBytes;
using testing::KillBytesV1;

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

TEST(DecodeTest, TellsZswapUsageOnlyWhereTheKernelDid) {
  KillBytes bytes;
  bytes.levels()[0].zswap_usage_bytes = 4096;
  bytes.levels()[0].flags |= OOMBOX_CGROUP_ZSWAP_USAGE;

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_EQ(kill->levels[0].zswap_usage_bytes, 4096U);
  EXPECT_EQ(kill->levels[1].zswap_usage_bytes, std::nullopt);
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

TEST(DecodeTest, ReadsThatWalkAndSumsWereCut) {
  KillBytes bytes;
  bytes.record().flags &= ~OOMBOX_KILL_NO_WALK;
  bytes.record().flags |= OOMBOX_KILL_WALK_CUT | OOMBOX_KILL_SUMS_CUT;

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_TRUE(kill->ranked);
  EXPECT_TRUE(kill->rank_cut);
  EXPECT_TRUE(kill->sums_cut);
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
  bytes.record().inferred_level = OOMBOX_MAX_LEVELS;

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_EQ(kill->fired_level, std::nullopt);
}

TEST(DecodeTest, LeavesACutNameUnknown) {
  KillBytes bytes;
  bytes.levels()[1].flags = OOMBOX_CGROUP_NAME_CUT;

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
    std::string bytes = KillBytes().bytes();
    auto* record = reinterpret_cast<oombox_kill_record*>(bytes.data());
    change(*record);
    return DecodeKill(bytes).has_value();
  };
  const auto in_levels = [](auto change) {
    KillBytes bytes;
    change(bytes.levels()[0]);
    return DecodeKill(bytes.bytes()).has_value();
  };

  EXPECT_FALSE(broken([](auto& r) { r.parts[OOMBOX_PART_LEVELS].count = 17; }));
  EXPECT_FALSE(broken([](auto& r) { r.parts[OOMBOX_PART_LEVELS].offset = 0xfffffff0; }));
  EXPECT_FALSE(broken([](auto& r) { r.parts[OOMBOX_PART_LEVELS].size = 0; }));
  EXPECT_FALSE(broken([](auto& r) { r.parts[OOMBOX_PART_USERS].size = 0xffff; }));
  EXPECT_FALSE(broken([](auto& r) { r.parts[OOMBOX_PART_NAMES].count = 0xffff; }));
  EXPECT_FALSE(in_levels([](auto& level) { level.name_offset = 60000; }));
  EXPECT_FALSE(in_levels([](auto& level) { level.name_len = 60000; }));
}

TEST(DecodeTest, TakesTheKernelsDecisionBeforeWhatIsInferred) {
  KillBytes bytes;
  bytes.Decide(5);

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  EXPECT_EQ(kill->fired_level, 1U);
  EXPECT_EQ(kill->inferred_level, 0U);
  ASSERT_TRUE(kill->decision.has_value());
  EXPECT_EQ(kill->decision->badness_pages, 96);
}

TEST(DecodeTest, FindsNoLevelWhenTheDecisionIsTheNode) {
  KillBytes bytes;
  bytes.Decide(0);

  EXPECT_EQ(DecodeKill(bytes.bytes())->fired_level, std::nullopt);
}

TEST(DecodeTest, ReadsStatAndStack) {
  KillBytes bytes;
  oombox_stat stat{};
  stat.cgroup_id = 11;
  stat.known = 1ULL << OOMBOX_STAT_FILE;
  stat.values[OOMBOX_STAT_FILE] = 77;
  bytes.stats().push_back(stat);
  bytes.stack() = {0xffffffff81000010, 0xffffffff81000020};

  const auto kill = DecodeKill(bytes.bytes());

  ASSERT_TRUE(kill.has_value());
  ASSERT_EQ(kill->stats.size(), 1U);
  EXPECT_EQ(kill->stats[0][StatItem::kFile], 77);
  EXPECT_EQ(kill->stats[0][StatItem::kAnon], std::nullopt);
  EXPECT_THAT(kill->stack, ::testing::ElementsAre(0xffffffff81000010, 0xffffffff81000020));
}

// A newer build may append to an element, an older one knows less of it.
TEST(DecodeTest, ReadsElementsOfAnotherLength) {
  KillBytes whole;
  std::string bytes = whole.bytes();
  auto* record = reinterpret_cast<oombox_kill_record*>(bytes.data());
  oombox_part& levels = record->parts[OOMBOX_PART_LEVELS];
  levels.size = 8;  // the id alone
  levels.count = 1;

  const auto kill = DecodeKill(bytes);

  ASSERT_TRUE(kill.has_value());
  ASSERT_EQ(kill->levels.size(), 1U);
  EXPECT_EQ(kill->levels[0].id, 11U);
  EXPECT_EQ(kill->levels[0].usage, 0U);
}

TEST(DecodeTest, ReadsRecordsOfVersionOne) {
  const auto kill = DecodeKill(KillBytesV1().bytes());

  ASSERT_TRUE(kill.has_value()) << kill.error().message;
  EXPECT_EQ(kill->version, 1);
  EXPECT_EQ(kill->victim.comm, "worker");
  EXPECT_EQ(kill->fired_level, 0U);
  EXPECT_EQ(kill->levels[1].name, "pods");
  EXPECT_FALSE(kill->levels[0].events.has_value());
  EXPECT_FALSE(kill->decision.has_value());
  EXPECT_EQ(kill->victim.threads, std::nullopt);
}

TEST(DecodeTest, RejectsEveryTruncationOfVersionOne) {
  const std::string whole = KillBytesV1().bytes();

  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeKill(std::string_view(whole).substr(0, size)).has_value()) << size;
  }
}

std::string CmdlineBytes(const std::string& text, uint32_t length) {
  oombox_cmdline_record record{};
  record.header = {.type = OOMBOX_RECORD_CMDLINE,
                   .version = OOMBOX_CMDLINE_VERSION,
                   .size = sizeof record,
                   .boottime_ns = 1};
  record.tgid = 4242;
  record.length = length;
  std::memcpy(record.bytes, text.data(), text.size());
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

TEST(DecodeTest, ReadsASignalWithBothCgroups) {
  oombox_signal_record record{};
  record.header = {.type = OOMBOX_RECORD_SIGNAL,
                   .version = OOMBOX_SIGNAL_VERSION,
                   .size = sizeof record,
                   .boottime_ns = 1};
  record.kind = OOMBOX_SIGNAL_INIT_KILLED;
  record.target.tgid = 4242;
  std::strcpy(record.target_cgroup.name, "worker");
  std::strcpy(record.target_cgroup.parent_name, "pod");
  std::memset(record.sender_cgroup.name, 'x', sizeof record.sender_cgroup.name);

  const auto decoded = DecodeRecord({reinterpret_cast<const char*>(&record), sizeof record});

  ASSERT_TRUE(decoded.has_value());
  const auto& signal = std::get<SignalRecord>(*decoded);
  EXPECT_EQ(signal.kind, SignalKind::kInitKilled);
  EXPECT_EQ(signal.target_cgroup_tail, "pod/worker");
  EXPECT_EQ(signal.sender_cgroup_tail.size(), size_t{OOMBOX_MAX_NAME});
}

TEST(DecodeTest, CountsAsAKillAllButWhatOnlyGoesWithOne) {
  EXPECT_TRUE(IsKillRecord(KillBytes().bytes()));
  EXPECT_TRUE(IsKillRecord(KillBytesV1().bytes()));
  EXPECT_TRUE(IsKillRecord(""));
  EXPECT_FALSE(IsKillRecord(CmdlineBytes("x", 1)));
}

TEST(DecodeTest, SplitsACommandLineIntoItsArguments) {
  const std::string text("python3\0-c\0\0x", 13);

  const auto record = DecodeRecord(CmdlineBytes(text, 13));

  ASSERT_TRUE(record.has_value());
  const auto& cmdline = std::get<CmdlineRecord>(*record);
  EXPECT_THAT(cmdline.arguments, ::testing::ElementsAre("python3", "-c", "", "x"));
  EXPECT_FALSE(cmdline.cut);
  EXPECT_TRUE(std::get<CmdlineRecord>(*DecodeRecord(CmdlineBytes(text, 9999))).cut);
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
