#include "tools/memhog/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/memhog/scratch_tree.h"
#include "tools/memhog/files.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(CgroupTest, LeavesNoDirectoryWhenTheLimitCannotBeSet) {
  const ScratchTree tree;

  const auto cgroup = Cgroup::Create({2, tree.root(), "/", "/"}, "/", "x", 1 << 20);

  ASSERT_FALSE(cgroup);
  EXPECT_THAT(cgroup.error().message, HasSubstr("memory.max"));
  EXPECT_FALSE(tree.Exists("x"));
}

TEST(CgroupTest, NeverTakesOverAnExistingCgroup) {
  const ScratchTree tree;
  tree.Write("x/cgroup.procs", "");

  const auto cgroup = Cgroup::Create({2, tree.root(), "/", "/"}, "/", "x", 1 << 20);

  ASSERT_FALSE(cgroup);
  EXPECT_EQ(cgroup.error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(tree.Exists("x/cgroup.procs"));
}

TEST(CgroupTest, ParsesKeyedNumbers) {
  EXPECT_THAT(ParseKeyedNumbers("low 0\noom 2\noom_kill 3\n"),
              UnorderedElementsAre(Pair("low", 0), Pair("oom", 2), Pair("oom_kill", 3)));
  EXPECT_THAT(ParseKeyedNumbers("oom x\n"), UnorderedElementsAre());
}

}  // namespace
}  // namespace oombox
