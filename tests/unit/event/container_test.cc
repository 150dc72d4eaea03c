#include "agent/event/container.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

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

RuntimeContainer Worker() {
  return {.container_id = "id",
          .container_name = "worker",
          .pod_name = "ocr-7d9f-x2x1z",
          .pod_uid = "uid",
          .namespace_name = "docs",
          .image_name = "localhost/ocr:1",
          .owner = "deployment/ocr",
          .restart_count = 3,
          .memory_limit_bytes = 64 << 20,
          .oom_score_adj = 900,
          .knobs = {{.name = "WEB_CONCURRENCY", .value = 4}}};
}

v1::Event KillEvent() {
  v1::Event event;
  event.mutable_node()->set_memory_total_bytes(1'000'000'000);
  *event.mutable_oom() = Kill("/pods/p/c", "/pods/p/c");
  return event;
}

v1::Event InitKilled() {
  v1::Event event;
  event.mutable_no_kill()->set_kind(v1::NoKillEvent::KIND_INIT_KILLED);
  event.mutable_no_kill()->mutable_process()->set_cgroup_tail("/pods/p/c");
  FillContainer(Identify, *event.mutable_no_kill());
  return event;
}

ContainerSource::Answer Exited(const std::string& reason) {
  ContainerSource::Answer answer{.container = Worker(), .found = true, .asked = true, .last = true};
  answer.container.exit = {.reason = reason, .exit_code = 137, .finished_wall_ns = 5};
  return answer;
}

TEST(ContainerTest, GetsTheNamesOnce) {
  v1::Event event = KillEvent();

  EXPECT_TRUE(AddNames(Worker(), event));
  EXPECT_FALSE(AddNames(Worker(), event));

  const v1::Container& container = event.oom().container();
  EXPECT_EQ(container.pod_name(), "ocr-7d9f-x2x1z");
  EXPECT_EQ(container.namespace_name(), "docs");
  EXPECT_EQ(container.container_name(), "worker");
  EXPECT_EQ(container.owner(), "deployment/ocr");
  EXPECT_EQ(container.restart_count(), 3U);
  EXPECT_EQ(container.knobs(0).name(), "WEB_CONCURRENCY");
  EXPECT_EQ(event.oom().workload(), "docs/deployment/ocr/worker");
}

TEST(ContainerTest, TellsTheRequestWithItsError) {
  v1::Event event = KillEvent();

  AddNames(Worker(), event);

  // 1000 - 900 thousandths of the node's memory, or nearly one more.
  const v1::Container& container = event.oom().container();
  EXPECT_LE(container.memory_request_bytes() - container.memory_request_error_bytes(),
            100'000'000U);
  EXPECT_GE(container.memory_request_bytes() + container.memory_request_error_bytes(),
            101'000'000U);
}

TEST(ContainerTest, SaysThatAKernelOfItsOwnIsNotSeenThrough) {
  for (const char* handler : {"runsc", "kata-qemu", "gvisor"}) {
    v1::Event event = KillEvent();
    RuntimeContainer sandboxed = Worker();
    sandboxed.runtime_handler = handler;

    AddNames(sandboxed, event);
    AddNames(sandboxed, event);

    ASSERT_EQ(event.oom().quality().missing_size(), 1);
    EXPECT_EQ(event.oom().quality().missing(0).field(), "container");
    EXPECT_NE(event.oom().quality().missing(0).reason().find(handler), std::string::npos);
  }
}

TEST(ContainerTest, EscapesWhatAPodIsCalled) {
  v1::Event event = KillEvent();
  RuntimeContainer hostile = Worker();
  hostile.pod_name = "\x1b[2Jpod\n";

  AddNames(hostile, event);

  EXPECT_EQ(event.oom().container().pod_name(), "\\x1b[2Jpod\\x0a");
}

TEST(ContainerTest, JoinsTheKernelsTruthWithTheRuntimes) {
  struct Case {
    v1::Event event;
    std::string reason;
    v1::KubernetesVerdict verdict;
  };
  for (const Case& at : std::vector<Case>{
           {KillEvent(), "OOMKilled", v1::KUBERNETES_VERDICT_CONFIRMED},
           {KillEvent(), "Error", v1::KUBERNETES_VERDICT_KUBERNETES_MISSED},
           {InitKilled(), "OOMKilled", v1::KUBERNETES_VERDICT_KUBERNETES_FALSE_POSITIVE},
           {InitKilled(), "Error", v1::KUBERNETES_VERDICT_SIGKILL_NOT_OOM}}) {
    v1::Event event = at.event;

    EXPECT_TRUE(AddFate(Exited(at.reason), event));

    EXPECT_EQ(
        event.has_oom() ? event.oom().kubernetes_verdict() : event.no_kill().kubernetes_verdict(),
        at.verdict)
        << at.reason;
    EXPECT_EQ(ContainerOf(event)->exit_code(), 137);
    EXPECT_FALSE(ContainerOf(event)->survived());
  }
}

TEST(ContainerTest, AContainerThatLivesOnHidesTheKill) {
  v1::Event event = KillEvent();
  RuntimeContainer alive = Worker();
  alive.running = true;

  AddFate({.container = alive, .found = true, .asked = true, .last = true}, event);

  EXPECT_TRUE(event.oom().container().survived());
  EXPECT_EQ(event.oom().kubernetes_verdict(), v1::KUBERNETES_VERDICT_KUBERNETES_MISSED);
}

TEST(ContainerTest, ARuntimeThatSaidNothingSinceTheKillDecidesNothing) {
  v1::Event event = KillEvent();

  AddFate({.container = Worker(), .found = true, .asked = false, .last = true}, event);

  EXPECT_EQ(event.oom().container().pod_name(), "ocr-7d9f-x2x1z");
  EXPECT_FALSE(event.oom().container().survived());
  EXPECT_EQ(event.oom().kubernetes_verdict(), v1::KUBERNETES_VERDICT_UNSPECIFIED);
}

TEST(ContainerTest, ARuntimeThatNamesAnotherPodIsNotBelieved) {
  v1::Event event = KillEvent();
  RuntimeContainer wrong = Worker();
  wrong.pod_uid = "another";

  EXPECT_TRUE(AddNames(wrong, event));
  AddFate({.container = wrong, .found = true, .asked = true, .last = true}, event);

  EXPECT_EQ(event.oom().container().pod_name(), "");
  EXPECT_EQ(event.oom().kubernetes_verdict(), v1::KUBERNETES_VERDICT_UNSPECIFIED);
  ASSERT_EQ(event.oom().quality().missing_size(), 1);
}

TEST(ContainerTest, AVerdictThatIsThereIsNotTakenBack) {
  v1::Event event = KillEvent();
  AddFate(Exited("OOMKilled"), event);

  AddFate({.last = true}, event);  // asked again after a restart: the container is gone

  EXPECT_EQ(event.oom().kubernetes_verdict(), v1::KUBERNETES_VERDICT_CONFIRMED);
  EXPECT_TRUE(event.oom().quality().missing().empty());
}

TEST(ContainerTest, NamesThatNobodyKnowsAreSaidToBeMissing) {
  v1::Event event = KillEvent();

  EXPECT_TRUE(AddFate({.last = true}, event));
  AddFate({.last = true}, event);

  ASSERT_EQ(event.oom().quality().missing_size(), 1);
  EXPECT_EQ(event.oom().quality().missing(0).field(), "container.pod_name");
}

}  // namespace
}  // namespace oombox
