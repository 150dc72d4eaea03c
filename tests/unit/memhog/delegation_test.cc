#include "tools/memhog/delegation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/memhog/scratch_tree.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

class DelegationTest : public ::testing::Test {
 protected:
  Hierarchy V2() const { return {2, tree_.root(), "/", "/own"}; }

  ScratchTree tree_;
};

TEST_F(DelegationTest, EnablesTheControllerAndUndoesIt) {
  tree_.Write("own/cgroup.controllers", "cpu memory pids\n");
  tree_.Write("own/cgroup.subtree_control", "");

  auto delegation = Delegation::Prepare(V2(), "/own", "leaf");
  ASSERT_TRUE(delegation);
  EXPECT_EQ(tree_.Read("own/cgroup.subtree_control"), "+memory");
  delegation->reset();

  EXPECT_EQ(tree_.Read("own/cgroup.subtree_control"), "-memory");
}

TEST_F(DelegationTest, LeavesAnEnabledControllerAsItIs) {
  tree_.Write("own/cgroup.controllers", "memory\n");
  tree_.Write("own/cgroup.subtree_control", "cpu memory\n");

  { auto delegation = Delegation::Prepare(V2(), "/own", "leaf").value(); }

  EXPECT_EQ(tree_.Read("own/cgroup.subtree_control"), "cpu memory\n");
}

TEST_F(DelegationTest, SaysWhatToDoWhenTheParentHasNoController) {
  tree_.Write("own/cgroup.controllers", "cpu pids\n");

  const auto delegation = Delegation::Prepare(V2(), "/own", "leaf");

  ASSERT_FALSE(delegation);
  EXPECT_EQ(delegation.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(delegation.error().message, HasSubstr("--parent"));
}

TEST_F(DelegationTest, DoesNothingOnV1) {
  EXPECT_TRUE(Delegation::Prepare({1, tree_.root(), "/", "/own"}, "/own", "leaf").has_value());
}

}  // namespace
}  // namespace oombox
