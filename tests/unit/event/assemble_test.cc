#include "agent/event/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/store/event_store.h"

namespace oombox {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Property;

KillRecord SomeKill() {
  KillRecord kill;
  kill.boottime_ns = 10'000'000'000;
  kill.episode_tgid = 42;
  kill.episode_start_boottime_ns = 7;
  kill.rss_per_cpu = true;
  kill.victim = {.tgid = 42,
                 .tid = 42,
                 .namespace_pid = 1,
                 .uid = 0,
                 .oom_score_adj = 0,
                 .start_boottime_ns = 7,
                 .cgroup_id = 11,
                 .memory = ProcessPages{.anon = 90,
                                        .file = 3,
                                        .shmem = 2,
                                        .swap = 1,
                                        .page_tables_bytes = 8192,
                                        .total_vm = 1000},
                 .comm = "worker"};
  kill.trigger_comm = "other";
  kill.levels = {{.id = 11, .name = "a", .usage = 100, .max = 100},
                 {.id = 5, .name = "pods", .usage = 150},
                 {.id = 1, .name = "", .usage = 400}};
  kill.fired_level = 0;
  kill.inferred_level = 0;
  kill.ranked = true;
  kill.users = {{.tgid = 9, .memory = ProcessPages{.anon = 200}, .comm = "hog"}, kill.victim};
  kill.walk_processes = 2;
  return kill;
}

EventContext SomeContext() {
  return {.cluster_name = "prod",
          .node_name = "node-1",
          .boot_id = "b007",
          .kernel_release = "6.1",
          .memory_total_bytes = 1 << 30,
          .page_size = 4096,
          .possible_cpus = 2,
          .committed_wall_ns = 1'700'000'000'500'000'000,
          .committed_boottime_ns = 10'500'000'000};
}

TEST(AssembleTest, ConvertsPagesWithTheNodesPageSize) {
  EventContext context = SomeContext();
  context.page_size = 65536;

  const v1::Event event = AssembleKill(SomeKill(), context);

  EXPECT_EQ(event.oom().victims(0).memory().anon_bytes(), 90U * 65536);
  EXPECT_EQ(event.oom().limit_hit().limit_bytes(), 100U * 65536);
  EXPECT_EQ(event.oom().victims(0).memory().page_tables_bytes(), 8192U);
}

TEST(AssembleTest, ComputesTheWallTimeOfTheKillFromTheCommit) {
  const v1::Event event = AssembleKill(SomeKill(), SomeContext());

  EXPECT_EQ(event.event_time().seconds(), 1'700'000'000);
  EXPECT_EQ(event.event_time().nanos(), 0);
  EXPECT_EQ(event.oom().quality().capture_latency().nanos(), 500'000'000);
}

TEST(AssembleTest, BuildsPathsFromTheNamesOfTheAncestors) {
  const v1::Event event = AssembleKill(SomeKill(), SomeContext());

  EXPECT_EQ(event.oom().cgroups(0).path(), "/pods/a");
  EXPECT_EQ(event.oom().cgroups(1).path(), "/pods");
  EXPECT_EQ(event.oom().cgroups(2).path(), "/");
  EXPECT_EQ(event.oom().limit_hit().cgroup_path(), "/pods/a");
}

TEST(AssembleTest, LeavesLimitsAbsentWhereThereAreNone) {
  const v1::Event event = AssembleKill(SomeKill(), SomeContext());

  EXPECT_TRUE(event.oom().cgroups(0).has_max_bytes());
  EXPECT_FALSE(event.oom().cgroups(1).has_max_bytes());
  EXPECT_TRUE(event.oom().cgroups(1).has_usage_bytes());
}

TEST(AssembleTest, ReportsMemoryAndSwapTogetherOnCgroupV1Only) {
  KillRecord kill = SomeKill();
  kill.cgroup_v1 = true;

  const v1::Event v1_event = AssembleKill(kill, SomeContext());
  const v1::Event v2_event = AssembleKill(SomeKill(), SomeContext());

  EXPECT_TRUE(v1_event.oom().cgroups(0).has_memsw_usage_bytes());
  EXPECT_FALSE(v1_event.oom().cgroups(0).has_swap_usage_bytes());
  EXPECT_FALSE(v2_event.oom().cgroups(0).has_memsw_usage_bytes());
  EXPECT_TRUE(v2_event.oom().cgroups(0).has_swap_usage_bytes());
}

TEST(AssembleTest, SaysThatTheLimitIsInferred) {
  const v1::Event event = AssembleKill(SomeKill(), SomeContext());

  EXPECT_EQ(event.oom().limit_hit().provenance(), v1::PROVENANCE_INFERRED);
  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_CGROUP);
}

TEST(AssembleTest, TakesAKillWithoutAFullCgroupForOneOfTheNode) {
  KillRecord kill = SomeKill();
  kill.fired_level.reset();
  kill.inferred_level.reset();
  kill.levels[0].usage = 50;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_NODE);
  EXPECT_FALSE(event.oom().limit_hit().has_cgroup_id());
}

TEST(AssembleTest, DoesNotGuessTheLimitWhenAncestorsAreUnknown) {
  KillRecord kill = SomeKill();
  kill.fired_level.reset();
  kill.inferred_level.reset();
  kill.levels_cut = true;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_UNSPECIFIED);
  EXPECT_THAT(event.oom().quality().missing(),
              Contains(Property(&v1::MissingField::field, "limit_hit")));
}

TEST(AssembleTest, DoesNotGuessTheLimitWhenTheTriggerIsElsewhere) {
  KillRecord kill = SomeKill();
  kill.trigger_outside = true;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_UNSPECIFIED);
  EXPECT_FALSE(event.oom().has_limit_hit());
}

TEST(AssembleTest, DoesNotTakeAKillInANearlyFullCgroupForOneOfTheNode) {
  KillRecord kill = SomeKill();
  kill.fired_level.reset();
  kill.inferred_level.reset();
  kill.levels[1].max = 155;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_UNSPECIFIED);
  EXPECT_THAT(event.oom().quality().missing(),
              Contains(Property(&v1::MissingField::field, "limit_hit")));
}

TEST(AssembleTest, TakesTheLimitOnMemoryAndSwapOnCgroupV1) {
  KillRecord kill = SomeKill();
  kill.cgroup_v1 = true;
  kill.fired_level.reset();
  kill.inferred_level.reset();
  kill.levels[1].swap_usage = 300;
  kill.levels[1].swap_max = 310;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_CGROUP);
  EXPECT_EQ(event.oom().limit_hit().level(), 1U);
  EXPECT_EQ(event.oom().limit_hit().limit_bytes(), 310U * 4096);
}

TEST(AssembleTest, RanksTheVictimAmongTheUsers) {
  const v1::Event event = AssembleKill(SomeKill(), SomeContext());

  EXPECT_EQ(event.oom().victims(0).rank(), 2U);
  EXPECT_FALSE(event.oom().top_users(0).victim());
  EXPECT_TRUE(event.oom().top_users(1).victim());
}

TEST(AssembleTest, EscapesNamesOnce) {
  KillRecord kill = SomeKill();
  kill.victim.comm = "a\x1b[31m\\\n\xff";
  kill.levels[0].name = "pod\n";

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().victims(0).comm(), "a\\x1b[31m\\\\\\x0a\\xff");
  EXPECT_EQ(event.oom().cgroups(0).path(), "/pods/pod\\x0a");
}

TEST(AssembleTest, NamesWhatIsMissing) {
  KillRecord kill = SomeKill();
  kill.ranked = false;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_EQ(event.oom().top_users_size(), 0);
  EXPECT_FALSE(event.oom().has_ranking());
  EXPECT_THAT(event.oom().quality().missing(),
              Contains(Property(&v1::MissingField::field, "top_users")));
}

TEST(AssembleTest, SaysThatTheRankingWasCut) {
  KillRecord kill = SomeKill();
  kill.rank_cut = true;
  kill.sums_cut = true;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_TRUE(event.oom().ranking().truncated());
  EXPECT_THAT(event.oom().quality().missing(),
              Contains(Property(&v1::MissingField::field, "top_users.memory.exact")));
}

TEST(AssembleTest, AddsAVictimOfTheEpisodeOnlyOnce) {
  v1::Event event = AssembleKill(SomeKill(), SomeContext());
  KillRecord second = SomeKill();
  second.group_member = true;
  second.victim.tgid = 9;
  second.victim.start_boottime_ns = 0;

  EXPECT_TRUE(AddVictim(event, second, SomeContext()));
  EXPECT_FALSE(AddVictim(event, second, SomeContext()));

  EXPECT_EQ(event.oom().victims_total(), 2U);
  EXPECT_EQ(event.oom().victims(1).role(), v1::VICTIM_ROLE_GROUP_MEMBER);
  EXPECT_TRUE(event.oom().top_users(0).victim());
}

TEST(AssembleTest, KeepsAGroupKillOfThousandsWithinTheSizeLimit) {
  v1::Event event = AssembleKill(SomeKill(), SomeContext());
  KillRecord next = SomeKill();
  next.group_member = true;

  for (uint32_t i = 0; i < 3000; ++i) {
    next.victim.tgid = 1000 + i;
    AddVictim(event, next, SomeContext());
  }

  EXPECT_EQ(event.oom().victims_total(), 3001U);
  EXPECT_EQ(event.oom().victims_size(), static_cast<int>(kMaxListedVictims));
  EXPECT_LE(event.ByteSizeLong(), kMaxEventBytes);
  EXPECT_FALSE(event.oom().victims(500).has_memory());
}

TEST(AssembleTest, CutsPathsRatherThanExceedTheSizeLimit) {
  KillRecord kill = SomeKill();
  kill.levels.clear();
  for (uint64_t i = 0; i < 15; ++i) {
    kill.levels.push_back({.id = i + 2, .name = std::string(255, '\x01'), .usage = 1});
  }
  kill.levels.push_back({.id = 1, .name = "", .usage = 1});
  kill.fired_level = 3;
  kill.inferred_level = 3;
  kill.levels[3].max = 1;

  const v1::Event event = AssembleKill(kill, SomeContext());

  EXPECT_LE(event.ByteSizeLong(), kMaxEventBytes);
  EXPECT_THAT(event.oom().cgroups(0).path(), HasSubstr("\\x01"));
  EXPECT_FALSE(event.oom().limit_hit().cgroup_path().empty());
}

}  // namespace
}  // namespace oombox
