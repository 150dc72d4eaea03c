#include "agent/identity/runtime_set.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

namespace oombox {

namespace {

// As long as the names of what is gone are remembered.
constexpr std::chrono::minutes kGoneAfter(10);
// One that does not answer costs a deadline, before another one is asked.
constexpr std::chrono::seconds kLeftAlone(5);

class RuntimeSet final : public ContainerRuntime {
 public:
  explicit RuntimeSet(std::vector<std::unique_ptr<ContainerRuntime>> runtimes) {
    for (auto& runtime : runtimes) {
      members_.push_back({std::move(runtime)});
    }
  }

  Result<std::vector<RuntimeContainer>> List() override {
    std::vector<RuntimeContainer> all;
    std::optional<Error> failed;
    bool answered = false;
    for (Member& member : members_) {
      auto listed = member.runtime->List();
      if (listed) {
        answered = true;
        member.Answered();
        std::move(listed->begin(), listed->end(), std::back_inserter(all));
      } else if (member.Counts()) {
        return tl::unexpected(std::move(listed.error()));
      } else if (!failed) {
        failed = std::move(listed.error());
      }
    }
    if (!answered && failed) {
      return tl::unexpected(std::move(*failed));
    }
    return all;
  }

  Result<RuntimeContainer> Find(const std::string& container_id) override {
    std::optional<Error> failed;
    std::optional<Error> not_found;
    bool failed_counts = false;
    for (auto it = members_.begin(); it != members_.end(); ++it) {
      Member& member = *it;
      auto found = member.Find(container_id);
      if (found) {
        std::rotate(members_.begin(), it, it + 1);  // the next is likely to be there, too
        return found;
      }
      if (found.error().code == ErrorCode::kNotFound) {
        not_found = std::move(found.error());
      } else if (!failed || member.Counts()) {
        failed = std::move(found.error());
        failed_counts = failed_counts || member.Counts();
      }
    }
    // It may be that of the one that does not answer.
    const bool says_nothing = failed && (failed_counts || !not_found);
    return tl::unexpected(std::move(says_nothing ? *failed : *not_found));
  }

  void Stop() override {
    for (Member& member : members_) {
      member.runtime->Stop();
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Member {
    std::unique_ptr<ContainerRuntime> runtime;
    std::optional<Clock::time_point> answered_at = {};

    std::optional<Error> silence = {};
    Clock::time_point silent_until = {};

    Result<RuntimeContainer> Find(const std::string& container_id) {
      if (silence && Clock::now() < silent_until) {
        return tl::unexpected(*silence);
      }
      auto found = runtime->Find(container_id);
      if (found || found.error().code == ErrorCode::kNotFound) {
        Answered();
      } else {
        silence = found.error();
        silent_until = Clock::now() + kLeftAlone;
      }
      return found;
    }
    void Answered() {
      answered_at = Clock::now();
      silence.reset();
    }
    bool Counts() const { return answered_at && Clock::now() - *answered_at < kGoneAfter; }
  };
  std::vector<Member> members_;
};

}  // namespace

std::unique_ptr<ContainerRuntime> JoinRuntimes(
    std::vector<std::unique_ptr<ContainerRuntime>> runtimes) {
  return runtimes.size() == 1 ? std::move(runtimes.front())
                              : std::make_unique<RuntimeSet>(std::move(runtimes));
}

}  // namespace oombox
