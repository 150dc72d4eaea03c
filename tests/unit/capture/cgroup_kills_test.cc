#include "agent/capture/cgroup_kills.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

class CgroupKillsTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = dir_.File(path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  TempDir dir_;
};

TEST_F(CgroupKillsTest, FindsVersionTwo) {
  Write("cgroup.controllers", "cpuset cpu io memory pids\n");

  const auto found = FindMemoryHierarchy(dir_.path());

  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->v2);
  EXPECT_EQ(found->root, dir_.path());
}

TEST_F(CgroupKillsTest, FindsVersionOneBesideAnEmptyVersionTwo) {
  Write("unified/cgroup.controllers", "\n");
  Write("memory/memory.oom_control", "oom_kill 0\n");

  const auto found = FindMemoryHierarchy(dir_.path());

  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->v2);
  EXPECT_EQ(found->root, dir_.path() + "/memory");
}

TEST_F(CgroupKillsTest, FindsTheControllerOfAHybridMount) {
  Write("unified/cgroup.controllers", "memory\n");

  const auto found = FindMemoryHierarchy(dir_.path());

  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->v2);
  EXPECT_EQ(found->root, dir_.path() + "/unified");
}

TEST_F(CgroupKillsTest, SaysSoWhenThereIsNoMemoryController) {
  Write("cgroup.controllers", "cpu memory2 pids\n");

  EXPECT_EQ(FindMemoryHierarchy(dir_.path()).error().code, ErrorCode::kNotFound);
}

TEST_F(CgroupKillsTest, CountsTheVictimsOwnCgroupOnVersionTwo) {
  Write("cgroup.procs", "");
  Write("pods/memory.events", "oom 1\noom_kill 3\noom_group_kill 0\n");
  Write("pods/memory.events.local", "oom 1\noom_kill 0\n");
  Write("pods/a b/memory.events.local", "low 0\noom 1\noom_kill 3\n");
  Write("old/memory.events", "oom_kill 2\n");

  const auto counts = ReadCgroupKills({.root = dir_.path(), .v2 = true});

  EXPECT_EQ(counts.kills, (CgroupKillMap{{"/old", 2}, {"/pods/a b", 3}}));
  EXPECT_EQ(counts.visited, 4U);
  EXPECT_FALSE(counts.cut);
}

TEST_F(CgroupKillsTest, CountsOnVersionOneTheRootToo) {
  Write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  Write("a/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 12\n");
  Write("b/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");

  const auto counts = ReadCgroupKills({.root = dir_.path(), .v2 = false});

  EXPECT_EQ(counts.kills, (CgroupKillMap{{"/", 1}, {"/a", 12}}));
}

TEST_F(CgroupKillsTest, StopsAtItsBoundAndSaysSo) {
  for (int i = 0; i < 10; ++i) {
    Write("c" + std::to_string(i) + "/memory.oom_control", "oom_kill 1\n");
  }
  Write("memory.oom_control", "oom_kill 0\n");

  const auto counts = ReadCgroupKills({.root = dir_.path(), .v2 = false}, 5);

  EXPECT_TRUE(counts.cut);
  EXPECT_EQ(counts.visited, 5U);
  EXPECT_EQ(counts.kills.size(), 4U);
}

TEST_F(CgroupKillsTest, TakesAHierarchyThatIsNotThereForEmpty) {
  const auto counts = ReadCgroupKills({.root = dir_.File("gone"), .v2 = true});

  EXPECT_TRUE(counts.kills.empty());
  EXPECT_EQ(counts.visited, 0U);
}

TEST_F(CgroupKillsTest, TellsWhatWasCountedBetweenTwoLooksTheBiggestFirst) {
  const CgroupKillMap before = {{"/same", 3}, {"/more", 1}, {"/gone", 9}, {"/anew", 7}};
  const CgroupKillMap now = {{"/same", 3}, {"/more", 3}, {"/new", 5}, {"/anew", 2}};

  EXPECT_EQ(GrownSince(before, now),
            (std::vector<CgroupKills>{{"/new", 5}, {"/anew", 2}, {"/more", 2}}));
}

TEST_F(CgroupKillsTest, KeepsHostileNamesInAFile) {
  const SavedCgroupKills saved = {
      .boot_id = "b007", .kills = {{"/", 1}, {"/a b\n7 /c", 2}, {"/\\x41\xff\t", 3}, {"/d", 4}}};
  ASSERT_TRUE(SaveCgroupKills(dir_.File("kills"), saved).has_value());

  const auto loaded = LoadCgroupKills(dir_.File("kills"));

  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  EXPECT_EQ(loaded->boot_id, "b007");
  EXPECT_EQ(loaded->kills, saved.kills);
}

TEST_F(CgroupKillsTest, TellsADamagedFileFromAMissingOne) {
  EXPECT_EQ(LoadCgroupKills(dir_.File("none")).error().code, ErrorCode::kNotFound);
  for (const char* text :
       {"", "other 1 b 0\n", "oombox-cgroup-kills-1 b 2\n1 /a\n",
        "oombox-cgroup-kills-1 b 1\nx /a\n", "oombox-cgroup-kills-1 b 1\n1 /a\\xg\n",
        "oombox-cgroup-kills-1 b 1\n1 /a\\\n"}) {
    Write("bad", text);
    EXPECT_EQ(LoadCgroupKills(dir_.File("bad")).error().code, ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace oombox
