#include "agent/event/container.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace oombox {
namespace {

CgroupIdentity Identify(std::string_view path) {
  const std::map<std::string, CgroupIdentity, std::less<>> known = {
      {"/pods", {.kind = CgroupKind::kNodeAllocatable}},
      {"/pods/p", {.kind = CgroupKind::kPod, .qos_class = "Burstable", .pod_uid = "uid"}},
      {"/pods/p/c",
       {.kind = CgroupKind::kContainer,
        .runtime_name = "containerd",
        .qos_class = "Burstable",
        .pod_uid = "uid",
        .container_id = "id"}},
      {"/vm", {.kind = CgroupKind::kInPod, .pod_uid = "uid", .sandboxed = true}},
      {"/nginx", {.kind = CgroupKind::kSystem, .unit = "nginx.service"}},
  };
  const auto found = known.find(path);
  return found != known.end() ? found->second : CgroupIdentity{};
}

v1::OomEvent Kill(const std::string& victim, const std::string& fired) {
  v1::OomEvent oom;
  oom.add_cgroups()->set_path(victim);
  oom.set_scope(v1::OOM_SCOPE_CGROUP);
  oom.mutable_limit_hit()->set_cgroup_path(fired);
  FillContainer(Identify, oom);
  return oom;
}

TEST(ContainerTest, IsTheVictimsAndTheScopeIsOfTheLimitThatFired) {
  const v1::OomEvent oom = Kill("/pods/p/c", "/pods/p");

  EXPECT_EQ(oom.container().container_id(), "id");
  EXPECT_EQ(oom.container().pod_uid(), "uid");
  EXPECT_EQ(oom.container().runtime_name(), "containerd");
  EXPECT_EQ(oom.container().qos_class(), "Burstable");
  EXPECT_EQ(oom.scope(), v1::OOM_SCOPE_POD);
  EXPECT_EQ(Kill("/pods/p/c", "/pods/p/c").scope(), v1::OOM_SCOPE_CONTAINER);
  EXPECT_EQ(Kill("/pods/p/c", "/pods").scope(), v1::OOM_SCOPE_NODE_ALLOCATABLE);
  EXPECT_EQ(Kill("/nginx", "/nginx").scope(), v1::OOM_SCOPE_SYSTEM);
}

TEST(ContainerTest, StaysUnknownWhereThePathSaysNothing) {
  const v1::OomEvent oom = Kill("/x", "/x");

  EXPECT_FALSE(oom.has_container());
  EXPECT_EQ(oom.scope(), v1::OOM_SCOPE_CGROUP);
}

TEST(ContainerTest, LeavesAKillOfTheWholeNodeOne) {
  v1::OomEvent oom;
  oom.set_scope(v1::OOM_SCOPE_NODE);
  oom.add_cgroups()->set_path("/pods/p/c");
  FillContainer(Identify, oom);

  EXPECT_EQ(oom.scope(), v1::OOM_SCOPE_NODE);
  EXPECT_EQ(oom.container().container_id(), "id");
}

TEST(ContainerTest, SaysWhatIsHiddenInAVirtualMachine) {
  EXPECT_EQ(Kill("/vm", "/vm").quality().missing(0).field(), "container");
}

}  // namespace
}  // namespace oombox
