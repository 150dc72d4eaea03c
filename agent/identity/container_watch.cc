#include "agent/identity/container_watch.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace oombox {

namespace {

using Milliseconds = std::chrono::milliseconds;

// A container that appeared may not be in the runtime's list at once.
const std::vector<Milliseconds> kAppearedAt = {Milliseconds(0), Milliseconds(200),
                                               Milliseconds(1'000), Milliseconds(5'000)};

// The runtime's clock is the node's, but it notes the exit with its own call.
constexpr int64_t kClockSlackNs = 1'000'000'000;

// Not found twice what was known is gone. What never was may be late: CRI-O makes a container's
// cgroup before it has registered it.
constexpr size_t kAsksUntilGone = 2;
constexpr auto kLateAtMost = std::chrono::seconds(5);

// The exit is noted first, and that it was an OOM kill by another event, in containerd as in CRI-O.
constexpr auto kReasonMayChange = Milliseconds(4'000);

}  // namespace

ContainerWatch::ContainerWatch(std::unique_ptr<ContainerRuntime> runtime, Options options)
    : runtime_(std::move(runtime)),
      options_(std::move(options)),
      directory_(options_.limits),
      retry_(options_.retry_after) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

ContainerWatch::~ContainerWatch() {
  thread_.request_stop();
  runtime_->Stop();
  thread_.join();
}

void ContainerWatch::Appeared(const std::string& container_id) {
  const std::lock_guard lock(mutex_);
  if (directory_.Find(container_id, Clock::now()) != nullptr) {
    return;
  }
  if (appeared_.size() >= kMaxAppeared) {
    list_at_ = Clock::now();  // it will be there
  } else {
    appeared_.emplace(container_id, Schedule{.begin = Clock::now(), .due = Clock::now()});
  }
  poked_ = true;
  changed_.notify_all();
}

void ContainerWatch::Removed(const std::string& container_id) {
  const std::lock_guard lock(mutex_);
  if (const auto appeared = appeared_.find(container_id); appeared != appeared_.end()) {
    if (appeared->second.asked > 0) {
      appeared_.erase(appeared);
    } else {  // the runtime may know it for a while: it is asked once
      appeared->second.asked = kAppearedAt.size();
      appeared->second.removed = true;
    }
  }
  directory_.Gone(container_id, Clock::now());
}

void ContainerWatch::LostNotices() {
  const std::lock_guard lock(mutex_);
  list_at_ = Clock::now();
  poked_ = true;
  changed_.notify_all();
}

std::optional<RuntimeContainer> ContainerWatch::Known(const std::string& container_id) {
  const std::lock_guard lock(mutex_);
  const RuntimeContainer* known = directory_.Find(container_id, Clock::now());
  return known == nullptr ? std::nullopt : std::optional(*known);
}

void ContainerWatch::Ask(Question question) {
  std::unique_lock lock(mutex_);
  const Clock::time_point now = Clock::now();
  if (questions_ >= kMaxQuestions) {
    ++status_.unanswered;
    const RuntimeContainer* known = directory_.Find(question.container_id, now);
    answers_.push_back({.event_id = std::move(question.event_id),
                        .container = known == nullptr ? RuntimeContainer() : *known,
                        .found = known != nullptr,
                        .last = true});
    CallAnswered(lock);
    return;
  }
  ++questions_;
  auto& pending = pending_[question.container_id];
  pending.push_back({.question = std::move(question),
                     .schedule = {.begin = now, .due = now + options_.ask_at.front()}});
  poked_ = true;
  changed_.notify_all();
}

std::vector<ContainerSource::Answer> ContainerWatch::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

void ContainerWatch::OnAnswer(std::function<void()> answered) {
  const std::lock_guard lock(answered_mutex_);
  answered_ = std::move(answered);
}

ContainerWatch::Status ContainerWatch::status() const {
  const std::lock_guard lock(mutex_);
  Status status = status_;
  status.known = directory_.there();
  status.remembered = directory_.gone();
  status.refused = directory_.refused();
  if (silent_since_) {
    status.silent_for = Clock::now() - *silent_since_;
  }
  return status;
}

void ContainerWatch::Run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "oom-names");
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Clock::time_point now = Clock::now();
    if (const std::string id = NextDue(now); !id.empty()) {
      AskFor(id, lock);
    } else if (list_at_ <= now) {
      ListAll(lock);
    } else {
      changed_.wait_until(lock, stop, NextTime(), [this] { return poked_; });
      poked_ = false;
    }
  }
}

std::string ContainerWatch::NextDue(Clock::time_point now) const {
  for (const auto& [id, waiting] : pending_) {
    if (std::any_of(waiting.begin(), waiting.end(),
                    [&](const Pending& pending) { return pending.schedule.due <= now; })) {
      return id;
    }
  }
  for (const auto& [id, schedule] : appeared_) {
    if (schedule.due <= now) {
      return id;
    }
  }
  return {};
}

ContainerWatch::Clock::time_point ContainerWatch::NextTime() const {
  Clock::time_point next = list_at_;
  for (const auto& [id, waiting] : pending_) {
    for (const Pending& pending : waiting) {
      next = std::min(next, pending.schedule.due);
    }
  }
  for (const auto& [id, schedule] : appeared_) {
    next = std::min(next, schedule.due);
  }
  return next;
}

namespace {

// To the next time that is not over; false when there is none.
template <typename Schedule, typename Time>
bool Advance(Schedule& schedule, const std::vector<Milliseconds>& times, Time now) {
  while (schedule.asked < times.size() && schedule.begin + times[schedule.asked] <= now) {
    ++schedule.asked;
  }
  if (schedule.asked >= times.size()) {
    return false;
  }
  schedule.due = schedule.begin + times[schedule.asked];
  return true;
}

bool Answered(const Result<RuntimeContainer>& found) {
  return found || found.error().code == ErrorCode::kNotFound;
}

}  // namespace

void ContainerWatch::AskFor(const std::string& id, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const Result<RuntimeContainer> found = runtime_->Find(id);
  lock.lock();
  NoteCall(Answered(found) ? nullptr : &found.error());
  const auto appeared = appeared_.find(id);
  if (found) {
    directory_.Put(*found, Clock::now());
    if (appeared != appeared_.end() && appeared->second.removed) {
      directory_.Gone(id, Clock::now());
    }
  }
  if (appeared != appeared_.end() &&
      (found || !Advance(appeared->second, kAppearedAt, Clock::now()))) {
    appeared_.erase(appeared);
  }
  AnswerPending(id, found);
  CallAnswered(lock);
}

bool ContainerWatch::AskAgain(Schedule& schedule, bool answered, Clock::time_point now) const {
  if (Advance(schedule, options_.ask_at, now)) {
    return true;
  }
  schedule.due = now + options_.again_after;
  return !answered && schedule.due <= schedule.begin + options_.again_until;
}

bool ContainerWatch::IsDecided(Pending& pending, const Result<RuntimeContainer>& found, bool known,
                               Clock::time_point now) {
  if (!found) {
    pending.not_found += found.error().code == ErrorCode::kNotFound ? 1 : 0;
    return pending.not_found >= kAsksUntilGone &&
           (known || now - pending.schedule.begin >= kLateAtMost);
  }
  if (found->is_sandbox) {
    return true;  // its end is no news
  }
  if (!found->exit ||
      found->exit->finished_wall_ns < pending.question.killed_wall_ns - kClockSlackNs) {
    return false;
  }
  pending.exit_seen_at = pending.exit_seen_at.value_or(now);
  return found->exit->reason == "OOMKilled" || now - *pending.exit_seen_at >= kReasonMayChange;
}

void ContainerWatch::AnswerPending(const std::string& id, const Result<RuntimeContainer>& found) {
  const auto waiting = pending_.find(id);
  if (waiting == pending_.end()) {
    return;
  }
  const Clock::time_point now = Clock::now();
  const RuntimeContainer* known = directory_.Find(id, now);
  const bool tells_state = found && !found->is_sandbox && (found->running || found->exit);
  std::erase_if(waiting->second, [&](Pending& pending) {
    const bool decided = IsDecided(pending, found, known != nullptr, now);
    const bool more = AskAgain(pending.schedule, Answered(found), now);
    const bool last = decided || !more;
    const RuntimeContainer container = known == nullptr ? RuntimeContainer() : *known;
    if (last || (known != nullptr && pending.told != container)) {
      pending.told = container;
      answers_.push_back({.event_id = pending.question.event_id,
                          .container = container,
                          .found = known != nullptr,
                          .asked = tells_state || pending.exit_seen_at,
                          .last = last});
    }
    questions_ -= last ? 1 : 0;
    return last;
  });
  if (waiting->second.empty()) {
    pending_.erase(waiting);
  }
}

void ContainerWatch::ListAll(std::unique_lock<std::mutex>& lock) {
  const Clock::time_point asked_for = list_at_;
  lock.unlock();
  Result<std::vector<RuntimeContainer>> all = runtime_->List();
  lock.lock();
  const Clock::time_point now = Clock::now();
  NoteCall(all ? nullptr : &all.error());
  if (!all) {
    list_at_ = now + retry_;
    retry_ = std::min(2 * retry_, options_.list_every);
    return;
  }
  retry_ = options_.retry_after;
  if (list_at_ == asked_for) {  // else somebody asked meanwhile: this may have missed it
    list_at_ = now + options_.list_every;
  }
  directory_.PutAll(std::move(*all), now);
}

void ContainerWatch::NoteCall(const Error* error) {
  if (error == nullptr) {
    if (!std::exchange(status_.connected, true)) {
      spdlog::info("the container runtime answers");
      list_at_ = std::min(list_at_, Clock::now());  // what was missed meanwhile
    }
    status_.error.clear();
    silent_since_.reset();
    return;
  }
  ++status_.failed_calls;
  if (status_.error.empty()) {
    spdlog::warn("the container runtime does not answer, names will be missing: {}",
                 error->message);
  }
  status_.connected = false;
  silent_since_ = silent_since_.value_or(Clock::now());
  status_.error = error->message;
}

// Without mutex_: who is called may ask at once.
void ContainerWatch::CallAnswered(std::unique_lock<std::mutex>& lock) {
  if (answers_.empty()) {
    return;
  }
  lock.unlock();
  {
    const std::lock_guard answered_lock(answered_mutex_);
    if (answered_) {
      answered_();
    }
  }
  lock.lock();
}

}  // namespace oombox
