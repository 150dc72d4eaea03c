#include "agent/container_usage.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/store/fixture.h"

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

class ContainerUsageTest : public ::testing::Test {
 protected:
  void Make(const std::string& path, const std::string& usage, const std::string& limit) {
    std::filesystem::create_directories(dir_.File("cgroup") + path);
    std::ofstream(dir_.File("cgroup") + path + "/memory.current") << usage << "\n";
    std::ofstream(dir_.File("cgroup") + path + "/memory.max") << limit << "\n";
  }
  v1::NodeReport Report(ContainerSource* names) {
    v1::NodeReport report;
    FillContainers({.root = dir_.File("cgroup"), .v2 = true}, names, report);
    return report;
  }

  TempDir dir_;
  Names names_;
};

TEST_F(ContainerUsageTest, ListsContainersAndNothingElse) {
  Make("/system.slice/ssh.service", "4096", "max");
  Make(kPod, "8192", "65536");
  Make(kPod + "/" + kId, "8192", "65536");
  Make(kPod + "/" + kId + "/init", "4096", "max");
  Make(kPod + "/" + kSandboxId, "4096", "max");

  const v1::NodeReport report = Report(&names_);

  ASSERT_EQ(report.containers_size(), 1);
  const v1::ContainerReport& container = report.containers(0);
  EXPECT_EQ(container.cgroup_path(), kPod + "/" + kId);
  EXPECT_EQ(container.usage_bytes(), 8192U);
  EXPECT_EQ(container.limit_bytes(), 65536U);
  EXPECT_EQ(container.restarts(), 3U);
  EXPECT_EQ(container.container().pod_name(), "ocr-1");
  EXPECT_EQ(container.container().qos_class(), "Burstable");
}

TEST_F(ContainerUsageTest, HasIdsWithoutARuntimeAndNoLimitWhereThereIsNone) {
  Make(kPod + "/" + kId, "8192", "max");

  const v1::NodeReport report = Report(nullptr);

  ASSERT_EQ(report.containers_size(), 1);
  EXPECT_EQ(report.containers(0).container().container_id(), kId);
  EXPECT_FALSE(report.containers(0).has_limit_bytes());
  EXPECT_FALSE(report.containers(0).has_restarts());
}

TEST_F(ContainerUsageTest, LeavesOutACgroupThatIsGoing) {
  Make(kPod + "/" + kId, "8192", "max");
  std::filesystem::remove(dir_.File("cgroup") + kPod + "/" + kId + "/memory.current");

  EXPECT_EQ(Report(nullptr).containers_size(), 0);
}

}  // namespace
}  // namespace oombox
