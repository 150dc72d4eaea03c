#include "agent/identity/container_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

namespace oombox {
namespace {

using namespace std::chrono_literals;

// Answers as the test says; can hang.
class FakeRuntime final : public ContainerRuntime {
 public:
  Result<std::vector<RuntimeContainer>> List() override {
    const std::lock_guard lock(mutex_);
    ++lists;
    changed_.notify_all();
    if (down) {
      return MakeError(ErrorCode::kUnavailable, "connection refused");
    }
    std::vector<RuntimeContainer> all;
    for (const auto& [id, container] : containers) {
      all.push_back(container);
    }
    return all;
  }
  Result<RuntimeContainer> Find(const std::string& id) override {
    std::unique_lock lock(mutex_);
    ++finds;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !hang || stopped; });
    if (down || stopped) {
      return MakeError(ErrorCode::kUnavailable, "connection refused");
    }
    const auto found = containers.find(id);
    if (found == containers.end()) {
      return MakeError(ErrorCode::kNotFound, "no container {}", id);
    }
    return found->second;
  }
  void Stop() override {
    const std::lock_guard lock(mutex_);
    stopped = true;
    changed_.notify_all();
  }

  template <typename Change>
  void Set(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <typename Condition>
  bool Await(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, condition);
  }

  std::map<std::string, RuntimeContainer> containers;
  bool down = false;
  bool hang = false;
  bool stopped = false;
  int lists = 0;
  int finds = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

RuntimeContainer Worker() {
  return {.container_id = "c1",
          .container_name = "worker",
          .pod_name = "ocr-1",
          .restart_count = 3,
          .running = true};
}

class ContainerWatchTest : public ::testing::Test {
 protected:
  void Start(ContainerWatch::Options options = {
                 .ask_at = {0ms, 20ms, 40ms, 60ms}, .again_after = 20ms, .again_until = 100ms}) {
    auto runtime = std::make_unique<FakeRuntime>();
    runtime_ = runtime.get();
    prepare_(*runtime_);
    watch_ = std::make_unique<ContainerWatch>(std::move(runtime), std::move(options));
    watch_->OnAnswer([this, watch = watch_.get()] {  // also called while it ends
      const std::lock_guard lock(mutex_);
      for (ContainerSource::Answer& answer : watch->Take()) {
        answers_.push_back(std::move(answer));
      }
      changed_.notify_all();
    });
  }
  void Ask(const std::string& id = "c1") {
    watch_->Ask({.event_id = "event", .container_id = id, .killed_wall_ns = 5'000'000'000});
  }
  std::vector<ContainerSource::Answer> AwaitLast() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 60s, [this] {
      return !answers_.empty() && answers_.back().last;
    })) << "no last answer";
    return answers_;
  }

  std::function<void(FakeRuntime&)> prepare_ = [](FakeRuntime& runtime) {
    runtime.containers["c1"] = Worker();
  };
  FakeRuntime* runtime_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ContainerSource::Answer> answers_;
  std::unique_ptr<ContainerWatch> watch_;
};

TEST_F(ContainerWatchTest, KnowsWhatWasListedAtTheStartWithoutACall) {
  Start();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->lists > 0; }));
  while (!watch_->Known("c1")) {
    std::this_thread::yield();
  }

  EXPECT_EQ(watch_->Known("c1")->pod_name, "ocr-1");
  EXPECT_EQ(runtime_->finds, 0);
  EXPECT_TRUE(watch_->status().connected);
}

TEST_F(ContainerWatchTest, AnswersAKillWithTheExit) {
  Start({.ask_at = {0ms, 20ms, 10s}});
  Ask();
  runtime_->Set([this] {
    runtime_->containers["c1"].exit = {
        .reason = "OOMKilled", .exit_code = 137, .finished_wall_ns = 5'100'000'000};
  });

  const auto answers = AwaitLast();

  EXPECT_TRUE(answers.back().found);
  ASSERT_TRUE(answers.back().container.exit.has_value());
  EXPECT_EQ(answers.back().container.exit->reason, "OOMKilled");
}

TEST_F(ContainerWatchTest, TakesNoExitOfLongBeforeTheKill) {
  prepare_ = [](FakeRuntime& runtime) {
    runtime.containers["c1"] = Worker();
    runtime.containers["c1"].exit = {
        .reason = "OOMKilled", .exit_code = 137, .finished_wall_ns = 1};
  };
  Start({.ask_at = {0ms, 1h}});
  Ask();

  std::unique_lock lock(mutex_);
  ASSERT_TRUE(changed_.wait_for(lock, 60s, [this] { return !answers_.empty(); }));
  EXPECT_FALSE(answers_.front().last);  // names first; it waits for another exit to the end
}

TEST_F(ContainerWatchTest, SaysThatTheContainerLivesWhenItsTimeIsOver) {
  Start();
  Ask();

  const auto answers = AwaitLast();

  EXPECT_TRUE(answers.back().found);
  EXPECT_EQ(answers.back().container.pod_name, "ocr-1");
  EXPECT_EQ(answers.back().container.exit, std::nullopt);
  EXPECT_TRUE(answers.back().asked);
}

TEST_F(ContainerWatchTest, RemembersAContainerThatTheRuntimeHasRemoved) {
  Start();
  while (!watch_->Known("c1")) {
    std::this_thread::yield();
  }
  runtime_->Set([this] { runtime_->containers.clear(); });
  watch_->Removed("c1");
  Ask();

  const auto answers = AwaitLast();

  EXPECT_TRUE(answers.back().found);
  EXPECT_EQ(answers.back().container.pod_name, "ocr-1");
}

TEST_F(ContainerWatchTest, SaysOfWhatNobodyKnowsThatItIsNotFound) {
  Start();
  Ask("elsewhere");

  EXPECT_FALSE(AwaitLast().back().found);
}

TEST_F(ContainerWatchTest, GoesOnWithARuntimeThatIsDownAndComesBack) {
  prepare_ = [](FakeRuntime& runtime) { runtime.down = true; };
  Start({.retry_after = 1ms, .ask_at = {0ms, 20ms, 10s}});
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->lists > 2; }));
  Ask();
  runtime_->Set([this] {
    runtime_->down = false;
    runtime_->containers["c1"] = Worker();
    runtime_->containers["c1"].exit = {.reason = "OOMKilled", .finished_wall_ns = 5'000'000'000};
  });

  EXPECT_TRUE(AwaitLast().back().container.exit.has_value());
  EXPECT_GT(watch_->status().failed_calls, 0U);
  EXPECT_EQ(watch_->status().error, "");
}

TEST_F(ContainerWatchTest, ARuntimeThatIsSilentAfterTheKillHasNamesButNoFate) {
  Start();
  while (!watch_->Known("c1")) {
    std::this_thread::yield();
  }
  runtime_->Set([this] { runtime_->down = true; });
  Ask();

  const auto answers = AwaitLast();

  EXPECT_TRUE(answers.back().found);
  EXPECT_EQ(answers.back().container.pod_name, "ocr-1");
  EXPECT_FALSE(answers.back().asked);
}

TEST_F(ContainerWatchTest, ALastCallThatFailsIsMadeAgain) {
  Start({.ask_at = {0ms}, .again_after = 1ms, .again_until = 1h});
  while (!watch_->Known("c1")) {
    std::this_thread::yield();
  }
  runtime_->Set([this] { runtime_->down = true; });
  Ask();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->finds > 2; }));
  runtime_->Set([this] { runtime_->down = false; });

  const auto answers = AwaitLast();

  EXPECT_TRUE(answers.back().asked);
  EXPECT_TRUE(answers.back().container.running);
}

TEST_F(ContainerWatchTest, ARuntimeThatHangsHoldsUpNobody) {
  Start();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->lists > 0; }));
  runtime_->Set([this] { runtime_->hang = true; });
  Ask();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->finds > 0; }));

  EXPECT_EQ(watch_->Known("nobody"), std::nullopt);
  Ask("c2");
  watch_->Appeared("c3");
  watch_.reset();  // ends the call
}

TEST_F(ContainerWatchTest, LearnsAContainerWhenItsCgroupAppears) {
  Start({.list_every = 1h});
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->lists > 0; }));
  runtime_->Set([this] { runtime_->containers["new"] = {.container_id = "new", .pod_name = "p"}; });

  watch_->Appeared("new");

  while (!watch_->Known("new")) {
    std::this_thread::yield();
  }
  EXPECT_EQ(watch_->Known("new")->pod_name, "p");
}

TEST_F(ContainerWatchTest, LearnsAContainerThatWentBeforeTheRuntimeWasAsked) {
  Start({.list_every = 1h});
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->lists > 0; }));
  runtime_->Set([this] {
    runtime_->containers["new"] = {.container_id = "new", .pod_name = "p"};
    runtime_->hang = true;
  });
  Ask("another");
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->finds > 0; }));

  watch_->Appeared("new");
  watch_->Removed("new");
  runtime_->Set([this] { runtime_->hang = false; });

  while (!watch_->Known("new")) {
    std::this_thread::yield();
  }
  EXPECT_EQ(watch_->status().remembered, 1U) << "it is gone";
}

TEST_F(ContainerWatchTest, AnswersQuestionsThatAreTooManyAtOnce) {
  Start();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->lists > 0; }));
  runtime_->Set([this] { runtime_->hang = true; });
  for (size_t i = 0; i < ContainerWatch::kMaxQuestions + 1; ++i) {
    Ask("x" + std::to_string(i));
  }

  EXPECT_FALSE(AwaitLast().back().found);
  EXPECT_EQ(watch_->status().unanswered, 1U);
  watch_.reset();
}

TEST_F(ContainerWatchTest, WaitsForTheReasonThatMayComeAfterTheExit) {
  prepare_ = [](FakeRuntime& runtime) {
    runtime.containers["c1"] = Worker();
    runtime.containers["c1"].running = false;
    runtime.containers["c1"].exit = {
        .reason = "Error", .exit_code = 137, .finished_wall_ns = 5'100'000'000};
  };
  Start({.ask_at = {0ms, 50ms, 100ms, 10s}});
  Ask();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->finds > 0; }));
  runtime_->Set([this] { runtime_->containers["c1"].exit->reason = "OOMKilled"; });

  EXPECT_EQ(AwaitLast().back().container.exit->reason, "OOMKilled");
}

TEST_F(ContainerWatchTest, OneLateAnswerIsNoContainerThatIsGone) {
  prepare_ = [](FakeRuntime&) {};
  std::vector<std::chrono::milliseconds> often(3000);  // no answer that comes late is the last
  std::generate(often.begin(), often.end(), [at = 0ms]() mutable { return at += 20ms; });
  Start({.list_every = 1h, .ask_at = std::move(often)});
  Ask();
  ASSERT_TRUE(runtime_->Await([this] { return runtime_->finds > 3; }));
  runtime_->Set([this] {
    runtime_->containers["c1"] = Worker();
    runtime_->containers["c1"].exit = {.reason = "OOMKilled", .finished_wall_ns = 5'000'000'000};
  });

  EXPECT_TRUE(AwaitLast().back().found);
}

TEST_F(ContainerWatchTest, OfASandboxThereAreNamesAndNoFate) {
  prepare_ = [](FakeRuntime& runtime) {
    runtime.containers["c1"] = {.container_id = "c1", .pod_name = "ocr-1", .is_sandbox = true};
  };
  Start({.ask_at = {0ms, 10s}});
  Ask();

  const auto answers = AwaitLast();

  EXPECT_TRUE(answers.back().found);
  EXPECT_FALSE(answers.back().asked);
}

TEST_F(ContainerWatchTest, AStateThatIsNeitherDecidesNothing) {
  prepare_ = [](FakeRuntime& runtime) {
    runtime.containers["c1"] = Worker();
    runtime.containers["c1"].running = false;
  };
  Start();
  Ask();

  EXPECT_FALSE(AwaitLast().back().asked);
}

}  // namespace
}  // namespace oombox
