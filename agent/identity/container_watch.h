#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/identity/container_directory.h"
#include "agent/identity/container_runtime.h"
#include "agent/model/container_source.h"

namespace oombox {

// Keeps the directory of this node's containers and answers for kills. Asks the runtime on a thread
// of its own, one call after the other, kills first: a runtime that hangs makes names late, nothing
// else. Everything that waits is bounded. Thread-safe.
class ContainerWatch final : public ContainerSource {
 public:
  struct Options {
    // Lists everything at the start, again when a call failed or a notice was lost, and so often:
    std::chrono::milliseconds list_every{60'000};
    std::chrono::milliseconds retry_after{1'000};  // doubled up to list_every
    // After a kill: when the runtime is asked whether the container has exited. The last answer
    // ends it.
    std::vector<std::chrono::milliseconds> ask_at = {
        std::chrono::milliseconds(0),     std::chrono::milliseconds(300),
        std::chrono::milliseconds(1'000), std::chrono::milliseconds(3'000),
        std::chrono::milliseconds(8'000), std::chrono::milliseconds(20'000),
        std::chrono::milliseconds(45'000)};
    // When the last call failed: again and again, within the time that an event waits.
    std::chrono::milliseconds again_after{2'000};
    std::chrono::milliseconds again_until{54'000};  // after the kill
    ContainerDirectory::Limits limits = {};
  };
  struct Status {
    bool connected = false;                  // the last call was answered
    std::string error = {};                  // why not
    std::chrono::nanoseconds silent_for{0};  // since the first call of those that failed
    size_t known = 0;
    size_t remembered = 0;  // gone, not forgotten
    uint64_t failed_calls = 0;
    uint64_t refused = 0;     // containers that were too many
    uint64_t unanswered = 0;  // questions that were too many
  };
  static constexpr size_t kMaxQuestions = 1024;
  static constexpr size_t kMaxAppeared = 1024;

  ContainerWatch(std::unique_ptr<ContainerRuntime> runtime, Options options);
  ~ContainerWatch() override;

  // Its cgroup was made; the runtime knows it already, or soon will.
  void Appeared(const std::string& container_id);
  void Removed(const std::string& container_id);
  // Notices were lost: lists everything again.
  void LostNotices();

  std::optional<RuntimeContainer> Known(const std::string& container_id) override;
  void Ask(Question question) override;
  std::vector<Answer> Take() override;
  void OnAnswer(std::function<void()> answered) override;

  Status status() const;

 private:
  using Clock = std::chrono::steady_clock;
  // When something is asked for again.
  struct Schedule {
    Clock::time_point begin = {};
    size_t asked = 0;
    Clock::time_point due = {};
    bool removed = false;  // of a cgroup: it is gone again
  };
  struct Pending {
    Question question = {};
    Schedule schedule = {};
    std::optional<RuntimeContainer> told = {};  // in the last answer
    size_t not_found = 0;
    std::optional<Clock::time_point> exit_seen_at = {};
  };

  void Run(const std::stop_token& stop);
  // The container to be asked for now, of a kill before one that appeared; empty: none is due.
  std::string NextDue(Clock::time_point now) const;
  Clock::time_point NextTime() const;
  void AskFor(const std::string& id, std::unique_lock<std::mutex>& lock);
  // False: it was the last time.
  bool AskAgain(Schedule& schedule, bool answered, Clock::time_point now) const;
  void AnswerPending(const std::string& id, const Result<RuntimeContainer>& found);
  // True when nothing more is to be expected of the runtime.
  static bool IsDecided(Pending& pending, const Result<RuntimeContainer>& found, bool known,
                        Clock::time_point now);
  void ListAll(std::unique_lock<std::mutex>& lock);
  void NoteCall(const Error* error);
  void CallAnswered(std::unique_lock<std::mutex>& lock);

  const std::unique_ptr<ContainerRuntime> runtime_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  ContainerDirectory directory_;
  std::map<std::string, std::vector<Pending>> pending_;  // by container
  size_t questions_ = 0;                                 // in it
  std::map<std::string, Schedule> appeared_;
  bool poked_ = false;
  std::vector<Answer> answers_;
  Clock::time_point list_at_ = {};  // at once
  std::chrono::milliseconds retry_;
  Status status_;
  std::optional<Clock::time_point> silent_since_;
  std::mutex answered_mutex_;  // held during a call of answered_
  std::function<void()> answered_;
  std::jthread thread_;
};

}  // namespace oombox
