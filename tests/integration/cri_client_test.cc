#include "agent/identity/cri_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/fakes/fake_cri.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

namespace cri = runtime::v1;
using namespace std::chrono_literals;

class CriClientTest : public ::testing::Test {
 protected:
  CriClientTest() {
    cri_.pods = [](cri::ListPodSandboxResponse& response) {
      cri::PodSandbox* pod = response.add_items();
      pod->set_id("s1");
      pod->mutable_metadata()->set_name("ocr-7c9d6b5f4-x2kqp");
      pod->mutable_metadata()->set_namespace_("sie");
      (*pod->mutable_labels())["pod-template-hash"] = "7c9d6b5f4";
      return grpc::Status::OK;
    };
    cri_.containers = [](cri::ListContainersResponse& response) {
      cri::Container* container = response.add_containers();
      container->set_id("c1");
      container->set_pod_sandbox_id("s1");
      container->mutable_metadata()->set_name("worker");
      return grpc::Status::OK;
    };
    cri_.status = [](cri::ContainerStatusResponse& response) {
      response.mutable_status()->set_id("c1");
      response.mutable_status()->set_state(cri::CONTAINER_EXITED);
      response.mutable_status()->set_reason("OOMKilled");
      return grpc::Status::OK;
    };
  }

  TempDir dir_;
  FakeCri cri_{dir_.File("cri.sock")};
  std::unique_ptr<ContainerRuntime> runtime_ = ConnectCri({dir_.File("cri.sock")}, 1min);
};

TEST_F(CriClientTest, ListsContainersAndSandboxesWithTheirOwners) {
  const auto all = runtime_->List();

  ASSERT_TRUE(all.has_value()) << all.error().message;
  ASSERT_EQ(all->size(), 2U);
  EXPECT_TRUE((*all)[0].is_sandbox);
  EXPECT_EQ((*all)[1].container_name, "worker");
  EXPECT_EQ((*all)[1].owner, "deployment/ocr");
  EXPECT_EQ((*all)[1].runtime_name, "fake");
}

TEST_F(CriClientTest, FindsOneWithItsExit) {
  const auto found = runtime_->Find("c1");

  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->namespace_name, "sie");
  ASSERT_TRUE(found->exit.has_value());
  EXPECT_EQ(found->exit->reason, "OOMKilled");
}

TEST_F(CriClientTest, FindsASandboxAndSaysWhatIsNotThere) {
  EXPECT_TRUE(runtime_->Find("s1")->is_sandbox);
  EXPECT_EQ(runtime_->Find("elsewhere").error().code, ErrorCode::kNotFound);
}

TEST_F(CriClientTest, BelievesNoAnswerForAnotherContainer) {
  cri_.status = [](cri::ContainerStatusResponse& response) {
    response.mutable_status()->set_id("another");
    return grpc::Status::OK;
  };

  EXPECT_EQ(runtime_->Find("c1").error().code, ErrorCode::kUnavailable);
}

TEST_F(CriClientTest, KeepsTheNamesOfWhatIsRemovedWhileItAsks) {
  cri_.containers = [](cri::ListContainersResponse& response) {
    cri::Container* container = response.add_containers();
    container->set_id("c1");
    container->set_pod_sandbox_id("s1");
    container->mutable_metadata()->set_name("worker");
    container->mutable_metadata()->set_attempt(2);
    container->set_state(cri::CONTAINER_RUNNING);
    return grpc::Status::OK;
  };
  cri_.status = [](cri::ContainerStatusResponse&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "not found");
  };

  const auto found = runtime_->Find("c1");

  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->container_name, "worker");
  EXPECT_EQ(found->pod_name, "ocr-7c9d6b5f4-x2kqp");
  EXPECT_EQ(found->restart_count, 2U);
  EXPECT_FALSE(found->running);
  EXPECT_EQ(found->exit, std::nullopt);
}

TEST_F(CriClientTest, TakesHalfAnAnswer) {
  cri_.pods = [](cri::ListPodSandboxResponse&) { return grpc::Status::OK; };
  cri_.status = [](cri::ContainerStatusResponse& response) {
    response.mutable_status()->set_id("c1");
    (*response.mutable_info())["info"] = "{\"runtimeSpec\":";
    return grpc::Status::OK;
  };

  const auto found = runtime_->Find("c1");

  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->container_name, "worker");
  EXPECT_EQ(found->pod_name, "");
  EXPECT_EQ(found->exit, std::nullopt);
}

TEST_F(CriClientTest, RefusesAnAnswerThatIsTooBig) {
  cri_.status = [](cri::ContainerStatusResponse& response) {
    response.mutable_status()->set_id("c1");
    response.mutable_status()->set_reason(std::string(20 << 20, 'x'));
    return grpc::Status::OK;
  };

  EXPECT_EQ(runtime_->Find("c1").error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(runtime_->List().has_value());
}

// Takes calls, and answers none before the end of the test.
class SlowCriTest : public ::testing::Test {
 protected:
  SlowCriTest() {
    cri_.containers = [this](cri::ListContainersResponse&) {
      ++calls_;
      while (!end_) {
        std::this_thread::sleep_for(1ms);
      }
      return grpc::Status::OK;
    };
  }
  ~SlowCriTest() override { end_ = true; }

  TempDir dir_;
  std::atomic<bool> end_ = false;
  std::atomic<int> calls_ = 0;
  FakeCri cri_{dir_.File("cri.sock")};  // its threads, which end with it, use what is above
};

TEST_F(SlowCriTest, IsGivenUp) {
  const auto hasty = ConnectCri({dir_.File("cri.sock")}, 500ms);

  EXPECT_EQ(hasty->Find("c1").error().code, ErrorCode::kUnavailable);
}

TEST_F(SlowCriTest, IsLeftWhenStopped) {
  const auto patient = ConnectCri({dir_.File("cri.sock")}, 1h);
  std::thread asking([&] { EXPECT_FALSE(patient->Find("c1").has_value()); });
  while (calls_ == 0) {
    std::this_thread::sleep_for(1ms);
  }

  patient->Stop();

  asking.join();
  EXPECT_FALSE(patient->List().has_value());
}

TEST_F(CriClientTest, SaysWhichRuntimesDoNotSpeakIt) {
  cri_.pods = {};

  EXPECT_NE(runtime_->List().error().message.find("containerd below 1.6"), std::string::npos);
}

TEST_F(CriClientTest, ReadsTheSpecOfContainerd) {
  cri_.status = [](cri::ContainerStatusResponse& response) {
    response.mutable_status()->set_id("c1");
    response.mutable_status()->set_state(cri::CONTAINER_RUNNING);
    (*response.mutable_info())["info"] =
        R"({"runtimeSpec":{"process":{"env":["OCR_WORKERS=5"],"oomScoreAdj":900}}})";
    return grpc::Status::OK;
  };

  const auto found = runtime_->Find("c1");

  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->oom_score_adj, 900);
  ASSERT_EQ(found->knobs.size(), 1U);
  EXPECT_TRUE(found->running);
}

TEST_F(CriClientTest, AsksEachSocketThatAnswers) {
  auto other = std::make_unique<FakeCri>(dir_.File("other.sock"));
  other->containers = [](cri::ListContainersResponse& response) {
    response.add_containers()->set_id("elsewhere");
    return grpc::Status::OK;
  };
  other->pods = [](cri::ListPodSandboxResponse&) { return grpc::Status::OK; };
  const auto runtime =
      ConnectCri({dir_.File("none.sock"), dir_.File("other.sock"), dir_.File("cri.sock")}, 1min);

  EXPECT_EQ(runtime->List()->front().container_id, "elsewhere");
  EXPECT_EQ(runtime->Find("c1")->container_id, "c1");

  other.reset();

  EXPECT_FALSE(runtime->List().has_value());  // who does not answer has lost nothing
  EXPECT_EQ(runtime->Find("elsewhere").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(runtime->Find("c1")->container_id, "c1");
}

TEST(CriSocketTest, FindsTheUsualSocketsAndNoPlainFile) {
  TempDir dir;
  std::filesystem::create_directories(dir.File("run/containerd"));
  std::filesystem::create_directories(dir.File("run/crio"));
  std::ofstream(dir.File("run/containerd/containerd.sock")) << "no socket";
  EXPECT_TRUE(FindCriSockets(dir.path()).empty());

  const FakeCri crio(dir.File("run/crio/crio.sock"));

  EXPECT_EQ(FindCriSockets(dir.path()), std::vector{dir.File("run/crio/crio.sock")});
}

}  // namespace
}  // namespace oombox
