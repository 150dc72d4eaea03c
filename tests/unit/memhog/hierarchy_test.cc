#include "tools/memhog/hierarchy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oombox {
namespace {

using ::testing::HasSubstr;

constexpr char kV1Mounts[] =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
constexpr char kV2Mounts[] =
    "29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(HierarchyTest, FindsTheV1ControllerBesideAnEmptyV2Mount) {
  const auto found = FindHierarchy("9:name=systemd:/\n4:memory:/user/a\n0::/\n", kV1Mounts);

  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, 1);
  EXPECT_EQ(found->mount_point, "/sys/fs/cgroup/memory");
  EXPECT_EQ(found->own_path, "/user/a");
  EXPECT_EQ(found->DirectoryOf("/user/a/x").value(), "/sys/fs/cgroup/memory/user/a/x");
}

TEST(HierarchyTest, FindsV1WhenTheControllerSharesItsHierarchy) {
  const auto found =
      FindHierarchy("4:cpu,memory:/a\n", "35 31 0:32 / /cg rw - cgroup cgroup rw,cpu,memory\n");

  ASSERT_TRUE(found);
  EXPECT_EQ(found->mount_point, "/cg");
}

TEST(HierarchyTest, FindsV2) {
  const auto found = FindHierarchy("0::/user.slice/session-1.scope\n", kV2Mounts);

  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, 2);
  EXPECT_EQ(found->own_path, "/user.slice/session-1.scope");
}

TEST(HierarchyTest, TheRootCgroupIsTheMountPoint) {
  const auto found = FindHierarchy("0::/\n", kV2Mounts);

  ASSERT_TRUE(found);
  EXPECT_EQ(found->DirectoryOf("/").value(), "/sys/fs/cgroup");
  EXPECT_EQ(found->DirectoryOf("/a").value(), "/sys/fs/cgroup/a");
}

TEST(HierarchyTest, MapsPathsThroughAMountOfASubtree) {
  const auto found =
      FindHierarchy("4:memory:/docker/abc\n",
                    "35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");

  ASSERT_TRUE(found);
  EXPECT_EQ(found->DirectoryOf("/docker/abc/x").value(), "/sys/fs/cgroup/memory/x");
  EXPECT_FALSE(found->DirectoryOf("/docker/abcdef").has_value());
}

TEST(HierarchyTest, DecodesEscapedMountPoints) {
  const auto found = FindHierarchy("0::/a\n", "29 22 0:26 / /my\\040groups rw - cgroup2 none rw\n");

  ASSERT_TRUE(found);
  EXPECT_EQ(found->mount_point, "/my groups");
}

TEST(HierarchyTest, KeepsColonsInACgroupsName) {
  const auto found = FindHierarchy("0::/a:b:c\n", kV2Mounts);

  ASSERT_TRUE(found);
  EXPECT_EQ(found->own_path, "/a:b:c");
}

TEST(HierarchyTest, SaysWhatToDoWithoutAMemoryController) {
  const auto found = FindHierarchy("1:cpu:/\n", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");

  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(found.error().message, HasSubstr("mount -t cgroup2"));
}

TEST(HierarchyTest, SurvivesMalformedText) {
  EXPECT_FALSE(FindHierarchy("", "").has_value());
  EXPECT_FALSE(FindHierarchy("::::\n\nmemory\n", "- - -\n1\n\n").has_value());
}

}  // namespace
}  // namespace oombox
