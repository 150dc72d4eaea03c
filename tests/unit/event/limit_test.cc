#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/event/assemble.h"

namespace oombox {
namespace {

// Killed in /pods/a, which is full; /pods has room.
KillRecord SomeKill() {
  KillRecord kill;
  kill.version = 2;
  kill.victim.tgid = 42;
  kill.levels = {{.id = 11, .name = "a", .usage = 100, .max = 100},
                 {.id = 5, .name = "pods", .usage = 150, .max = 1000},
                 {.id = 1, .name = "", .usage = 400}};
  kill.inferred_level = 0;
  kill.fired_level = 0;
  return kill;
}

KillDecision Decision(uint64_t cgroup_id, uint32_t constraint) {
  return {.cgroup_id = cgroup_id,
          .total_pages = 1000,
          .badness_pages = 96,
          .gfp_mask = 0xcc0,
          .order = 0,
          .constraint = constraint};
}

v1::OomEvent Assemble(const KillRecord& kill) {
  return AssembleKill(kill, {.boot_id = "b007", .memory_total_bytes = 1 << 30}).oom();
}

TEST(LimitTest, SaysThatTheKernelDecided) {
  KillRecord kill = SomeKill();
  kill.decision = Decision(11, 3);

  const v1::OomEvent oom = Assemble(kill);

  EXPECT_EQ(oom.limit_hit().provenance(), v1::PROVENANCE_AT_KILL);
  EXPECT_EQ(oom.limit_hit().cgroup_path(), "/pods/a");
  EXPECT_EQ(oom.decision().constraint(), v1::OomDecision::CONSTRAINT_MEMCG);
  EXPECT_EQ(oom.decision().gfp_flags(), "GFP_KERNEL");
  EXPECT_FALSE(oom.decision().has_inferred_level());
  EXPECT_EQ(oom.victims(0).badness_pages(), 96);
}

TEST(LimitTest, BelievesTheKernelAndShowsWhatWouldHaveBeenInferred) {
  KillRecord kill = SomeKill();
  kill.decision = Decision(5, 3);
  kill.fired_level = 1;

  const v1::OomEvent oom = Assemble(kill);

  EXPECT_EQ(oom.limit_hit().level(), 1U);
  EXPECT_EQ(oom.limit_hit().cgroup_path(), "/pods");
  ASSERT_TRUE(oom.decision().has_inferred_level());
  EXPECT_EQ(oom.decision().inferred_level(), 0U);
}

TEST(LimitTest, TakesNoFullCgroupForTheLimitWhenTheNodeRanOut) {
  KillRecord kill = SomeKill();
  kill.decision = Decision(0, 0);
  kill.fired_level.reset();

  const v1::OomEvent oom = Assemble(kill);

  EXPECT_EQ(oom.scope(), v1::OOM_SCOPE_NODE);
  EXPECT_EQ(oom.limit_hit().limit_bytes(), 1U << 30);
  EXPECT_FALSE(oom.limit_hit().has_level());
}

TEST(LimitTest, KnowsNoLimitOfSomeNumaNodes) {
  KillRecord kill = SomeKill();
  kill.decision = Decision(0, 1);
  kill.fired_level.reset();

  const v1::OomEvent oom = Assemble(kill);

  EXPECT_EQ(oom.decision().constraint(), v1::OomDecision::CONSTRAINT_CPUSET);
  EXPECT_FALSE(oom.limit_hit().has_limit_bytes());
}

TEST(LimitTest, KnowsThatTheLimitIsFurtherUpThanTheLevels) {
  KillRecord kill = SomeKill();
  kill.decision = Decision(999, 3);
  kill.fired_level.reset();
  kill.levels_cut = true;

  const v1::OomEvent oom = Assemble(kill);

  EXPECT_EQ(oom.limit_hit().cgroup_id(), 999U);
  EXPECT_EQ(oom.limit_hit().cgroup_path(), "");
  EXPECT_EQ(oom.scope(), v1::OOM_SCOPE_CGROUP);
}

TEST(LimitTest, SaysWhyThereIsNoDecision) {
  const v1::OomEvent oom = Assemble(SomeKill());

  EXPECT_EQ(oom.limit_hit().provenance(), v1::PROVENANCE_INFERRED);
  bool told = false;
  for (const v1::MissingField& missing : oom.quality().missing()) {
    told = told || missing.field() == "decision";
  }
  EXPECT_TRUE(told);
}

TEST(LimitTest, TakesMemoryAndSwapTogetherOnVersionOne) {
  KillRecord kill = SomeKill();
  kill.cgroup_v1 = true;
  kill.levels[0].usage = 20;
  kill.levels[0].swap_usage = 200;
  kill.levels[0].swap_max = 200;
  kill.inferred_level.reset();
  kill.decision = Decision(11, 3);

  EXPECT_EQ(Assemble(kill).limit_hit().limit_bytes(), 200U * 4096);
}

TEST(LimitTest, ConvertsMemoryStatByItsUnits) {
  KillRecord kill = SomeKill();
  CgroupStat stat{.cgroup_id = 11};
  stat[StatItem::kAnon] = 10;
  stat[StatItem::kKernelStackKb] = 16;
  stat[StatItem::kPercpuBytes] = 123;
  stat[StatItem::kSock] = -1;
  stat[StatItem::kAnonThp] = 512;
  kill.stats = {stat};

  const v1::OomEvent oom = Assemble(kill);

  const v1::MemoryStat& out = oom.cgroups(0).stat();
  EXPECT_EQ(out.anon_bytes(), 10U * 4096);
  EXPECT_EQ(out.kernel_stack_bytes(), 16U * 1024);
  EXPECT_EQ(out.percpu_bytes(), 123U);
  EXPECT_EQ(out.sock_bytes(), 0U);
  EXPECT_EQ(out.anon_thp_bytes(), 512U * 4096);
  EXPECT_FALSE(out.has_file_bytes());
  EXPECT_FALSE(oom.cgroups(1).has_stat());
}

TEST(LimitTest, CountsHugePagesOfOldKernelsAsTheyDo) {
  KillRecord kill = SomeKill();
  CgroupStat stat{.cgroup_id = 11};
  stat[StatItem::kAnonThp] = 2;
  kill.stats = {stat};

  const v1::Event event = AssembleKill(kill, {.kernel_release = "5.10.0-46-cloud-amd64"});

  EXPECT_EQ(event.oom().cgroups(0).stat().anon_thp_bytes(), uint64_t{2} << 21);
}

}  // namespace
}  // namespace oombox
