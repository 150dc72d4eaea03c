#include "agent/identity/runtime_set.h"

#include <gtest/gtest.h>

#include <string>

namespace oombox {
namespace {

// Knows one container, or does not answer.
class OneContainer final : public ContainerRuntime {
 public:
  explicit OneContainer(std::string id) : id_(std::move(id)) {}
  Result<std::vector<RuntimeContainer>> List() override {
    if (down_) {
      return MakeError(ErrorCode::kUnavailable, "{} is down", id_);
    }
    return std::vector<RuntimeContainer>{{.container_id = id_}};
  }
  Result<RuntimeContainer> Find(const std::string& id) override {
    if (down_) {
      return MakeError(ErrorCode::kUnavailable, "{} is down", id_);
    }
    if (id != id_) {
      return MakeError(ErrorCode::kNotFound, "no {}", id);
    }
    return RuntimeContainer{.container_id = id_};
  }
  void Stop() override { down_ = true; }

  bool down_ = false;

 private:
  const std::string id_;
};

class RuntimeSetTest : public ::testing::Test {
 protected:
  RuntimeSetTest() {
    std::vector<std::unique_ptr<ContainerRuntime>> both;
    for (OneContainer** member : {&first_, &second_}) {
      auto runtime = std::make_unique<OneContainer>(member == &first_ ? "a" : "b");
      *member = runtime.get();
      both.push_back(std::move(runtime));
    }
    set_ = JoinRuntimes(std::move(both));
  }

  OneContainer* first_ = nullptr;
  OneContainer* second_ = nullptr;
  std::unique_ptr<ContainerRuntime> set_;
};

TEST_F(RuntimeSetTest, KnowsWhatEachKnows) {
  EXPECT_EQ(set_->List()->size(), 2U);
  EXPECT_EQ(set_->Find("a")->container_id, "a");
  EXPECT_EQ(set_->Find("b")->container_id, "b");
  EXPECT_EQ(set_->Find("c").error().code, ErrorCode::kNotFound);
}

TEST_F(RuntimeSetTest, LeavesOutOneThatNeverAnswered) {
  first_->down_ = true;

  EXPECT_EQ(set_->List()->size(), 1U);
  EXPECT_EQ(set_->Find("c").error().code, ErrorCode::kNotFound);
}

TEST_F(RuntimeSetTest, SaysNothingIsGoneWhileOneThatAnsweredIsSilent) {
  ASSERT_TRUE(set_->List().has_value());
  first_->down_ = true;

  EXPECT_EQ(set_->List().error().message, "a is down");
  EXPECT_EQ(set_->Find("a").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(set_->Find("b")->container_id, "b");
}

TEST_F(RuntimeSetTest, FailsWhenNobodyAnswers) {
  first_->down_ = second_->down_ = true;

  EXPECT_EQ(set_->List().error().message, "a is down");
  EXPECT_EQ(set_->Find("a").error().code, ErrorCode::kUnavailable);
}

TEST_F(RuntimeSetTest, StopsAll) {
  set_->Stop();

  EXPECT_TRUE(first_->down_ && second_->down_);
}

}  // namespace
}  // namespace oombox
