#include "agent/container_usage.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace oombox {
namespace {

const std::string kId(64, 'a');
const std::string kSandboxId(64, 'b');
const std::string kPod = "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555";

class Names final : public ContainerSource {
 public:
  std::optional<RuntimeContainer> Known(const std::string& id) override {
    return RuntimeContainer{.container_id = id,
                            .pod_name = "ocr-1",
                            .is_sandbox = id == kSandboxId,
                            .restart_count = 3};
  }
  void Ask(Question /*question*/) override {}
  std::vector<Answer> Take() override { return {}; }
  void OnAnswer(std::function<void()> /*answered*/) override {}
};

CgroupPressure Watched(const std::string& path, uint64_t usage, std::optional<uint64_t> limit,
                       PressureState state = PressureState::kOk) {
  return {.cgroup = {.id = 7, .path = path},
          .state = state,
          .sample = {.boottime_ns = 1, .usage_bytes = usage, .limit_bytes = limit}};
}

v1::NodeReport Report(const std::vector<CgroupPressure>& watched, ContainerSource* names) {
  v1::NodeReport report;
  FillContainers(watched, names, report);
  return report;
}

TEST(ContainerUsageTest, ListsContainersByNameAndLeavesSandboxesOut) {
  Names names;
  const v1::NodeReport report = Report(
      {Watched(kPod + "/" + kId, 8192, 65536), Watched(kPod + "/" + kSandboxId, 4096, {})}, &names);

  ASSERT_EQ(report.containers_size(), 1);
  EXPECT_EQ(report.containers_total(), 1U);
  const v1::ContainerReport& container = report.containers(0);
  EXPECT_EQ(container.cgroup_path(), kPod + "/" + kId);
  EXPECT_EQ(container.usage_bytes(), 8192U);
  EXPECT_EQ(container.limit_bytes(), 65536U);
  EXPECT_EQ(container.restarts(), 3U);
  EXPECT_EQ(container.container().pod_name(), "ocr-1");
  EXPECT_EQ(container.container().qos_class(), "Burstable");
}

TEST(ContainerUsageTest, HasIdsWithoutARuntimeAndNoLimitWhereThereIsNone) {
  const v1::NodeReport report = Report({Watched(kPod + "/" + kId, 8192, {})}, nullptr);

  ASSERT_EQ(report.containers_size(), 1);
  EXPECT_EQ(report.containers(0).container().container_id(), kId);
  EXPECT_FALSE(report.containers(0).has_limit_bytes());
  EXPECT_FALSE(report.containers(0).has_restarts());
}

TEST(ContainerUsageTest, APodIsListedOnlyInAlarm) {
  EXPECT_EQ(Report({Watched(kPod, 8192, 65536)}, nullptr).containers_size(), 0);
  EXPECT_EQ(
      Report({Watched(kPod, 65000, 65536, PressureState::kCritical)}, nullptr).containers_size(),
      1);
}

TEST(ContainerUsageTest, WhatIsNoContainersAndHasALimitIsListed) {
  const v1::NodeReport report =
      Report({Watched("/system.slice/ssh.service", 4096, 1 << 20)}, nullptr);
  ASSERT_EQ(report.containers_size(), 1);
  EXPECT_TRUE(report.containers(0).container().container_id().empty());
}

TEST(ContainerUsageTest, TheNearestToItsLimitComesFirst) {
  const v1::NodeReport report =
      Report({Watched("/a", 10, 100), Watched("/b", 90, 100), Watched("/c", 50, {})}, nullptr);
  ASSERT_EQ(report.containers_size(), 3);
  EXPECT_EQ(report.containers(0).cgroup_path(), "/b");
  EXPECT_EQ(report.containers(2).cgroup_path(), "/c");
}

TEST(ContainerUsageTest, WhoIsInAlarmComesBeforeThoseThatAreFullOfPageCache) {
  CgroupPressure cache = Watched("/cache", 100, 100);
  cache.sample.working_set_bytes = 30;
  CgroupPressure held = Watched("/held", 85, 100);
  held.sample.working_set_bytes = 80;
  const CgroupPressure waits = Watched("/waits", 20, {}, PressureState::kCritical);
  const v1::NodeReport report = Report({cache, held, waits}, nullptr);
  ASSERT_EQ(report.containers_size(), 3);
  EXPECT_EQ(report.containers(0).cgroup_path(), "/waits");
  EXPECT_EQ(report.containers(1).cgroup_path(), "/held");
}

TEST(ContainerUsageTest, TheNodesOwnMemoryIsApart) {
  CgroupPressure node = Watched("/", 10, 100);
  node.cgroup.id = 0;
  const v1::NodeReport report = Report({node}, nullptr);
  EXPECT_EQ(report.containers_size(), 0);
  EXPECT_EQ(report.pressure_watch().node().usage_bytes(), 10U);
}

TEST(ContainerUsageTest, TooManyAreCountedAndTheNearestListed) {
  std::vector<CgroupPressure> many;
  for (uint64_t i = 0; i < 5000; ++i) {
    many.push_back(Watched("/" + std::string(200, 'x') + std::to_string(i), i, 5000));
  }
  const v1::NodeReport report = Report(many, nullptr);
  EXPECT_EQ(report.containers_total(), 5000U);
  EXPECT_LT(report.containers_size(), 5000);
  EXPECT_LT(report.ByteSizeLong(), size_t{420} << 10);
  EXPECT_EQ(report.containers(0).usage_bytes(), 4999U);
}

}  // namespace
}  // namespace oombox
