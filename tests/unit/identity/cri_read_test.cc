#include "agent/identity/cri_read.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

namespace cri = runtime::v1;

cri::PodSandbox Sandbox() {
  cri::PodSandbox sandbox;
  sandbox.set_id("s1");
  sandbox.mutable_metadata()->set_name("ocr-7c9d6b5f4-x2kqp");
  sandbox.mutable_metadata()->set_namespace_("sie");
  sandbox.mutable_metadata()->set_uid("0f1c");
  (*sandbox.mutable_labels())["pod-template-hash"] = "7c9d6b5f4";
  return sandbox;
}

cri::Container Listed() {
  cri::Container container;
  container.set_id("c1");
  container.set_pod_sandbox_id("s1");
  container.mutable_metadata()->set_name("worker");
  container.mutable_metadata()->set_attempt(14);
  container.mutable_image()->set_image("sha256:abc");
  container.mutable_image()->set_user_specified_image("ocr:2.4.1");
  (*container.mutable_labels())["io.kubernetes.pod.name"] = "ocr-7c9d6b5f4-x2kqp";
  (*container.mutable_labels())["io.kubernetes.pod.namespace"] = "sie";
  (*container.mutable_labels())["io.kubernetes.pod.uid"] = "0f1c";
  return container;
}

TEST(CriReadTest, NamesAContainerItsPodAndItsOwner) {
  const cri::PodSandbox sandbox = Sandbox();

  const RuntimeContainer container = ReadListed(Listed(), &sandbox);

  EXPECT_EQ(container.container_id, "c1");
  EXPECT_EQ(container.container_name, "worker");
  EXPECT_EQ(container.pod_name, "ocr-7c9d6b5f4-x2kqp");
  EXPECT_EQ(container.namespace_name, "sie");
  EXPECT_EQ(container.pod_uid, "0f1c");
  EXPECT_EQ(container.owner, "deployment/ocr");
  EXPECT_EQ(container.image_name, "ocr:2.4.1");
  EXPECT_EQ(container.restart_count, 14U);
  EXPECT_FALSE(container.is_sandbox);
}

TEST(CriReadTest, TakesTheKubeletsLabelsWhenTheSandboxIsGone) {
  const RuntimeContainer container = ReadListed(Listed(), nullptr);

  EXPECT_EQ(container.pod_name, "ocr-7c9d6b5f4-x2kqp");
  EXPECT_EQ(container.namespace_name, "sie");
  EXPECT_EQ(container.owner, "");
}

TEST(CriReadTest, TellsASandboxFromAContainer) {
  const RuntimeContainer pause = ReadSandbox(Sandbox());

  EXPECT_TRUE(pause.is_sandbox);
  EXPECT_EQ(pause.container_id, "s1");
  EXPECT_EQ(pause.pod_name, "ocr-7c9d6b5f4-x2kqp");
  EXPECT_EQ(pause.restart_count, std::nullopt);
}

TEST(CriReadTest, AddsLimitsAndTheExit) {
  RuntimeContainer container = ReadListed(Listed(), nullptr);
  cri::ContainerStatusResponse response;
  cri::ContainerStatus* status = response.mutable_status();
  status->set_id("c1");
  status->set_state(cri::CONTAINER_EXITED);
  status->set_reason("OOMKilled");
  status->set_exit_code(137);
  status->set_finished_at(1'790'000'000'000'000'000);
  status->mutable_image()->set_image("sha256:abc");
  status->mutable_resources()->mutable_linux()->set_memory_limit_in_bytes(64 << 20);
  status->mutable_resources()->mutable_linux()->set_oom_score_adj(968);

  AddStatus(response, container);

  EXPECT_EQ(container.image_name, "ocr:2.4.1");
  EXPECT_EQ(container.memory_limit_bytes, 64U << 20);
  EXPECT_EQ(container.oom_score_adj, 968);
  ASSERT_TRUE(container.exit.has_value());
  EXPECT_EQ(container.exit->reason, "OOMKilled");
  EXPECT_EQ(container.exit->exit_code, 137);
  EXPECT_EQ(container.exit->finished_wall_ns, 1'790'000'000'000'000'000);
}

TEST(CriReadTest, SaysNothingOfTheExitWhileItRuns) {
  RuntimeContainer container;
  cri::ContainerStatusResponse response;
  response.mutable_status()->set_state(cri::CONTAINER_RUNNING);
  response.mutable_status()->mutable_resources()->mutable_linux()->set_oom_score_adj(123456);

  AddStatus(response, container);

  EXPECT_EQ(container.exit, std::nullopt);
  EXPECT_EQ(container.oom_score_adj, std::nullopt);
  EXPECT_EQ(container.memory_limit_bytes, std::nullopt);
}

TEST(CriReadTest, CutsWhatNobodyWouldCallAName) {
  cri::Container container = Listed();
  container.mutable_metadata()->set_name(std::string(100'000, 'x'));

  EXPECT_EQ(ReadListed(container, nullptr).container_name.size(), 512U);
}

}  // namespace
}  // namespace oombox
