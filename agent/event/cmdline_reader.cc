#include "agent/event/cmdline_reader.h"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace oombox {

namespace {

constexpr std::chrono::seconds kLastWait(1);

}  // namespace

struct CmdlineReader::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Question> questions;
  std::vector<Answer> answers;
  std::function<void()> answered;
  bool stopping = false;
  bool ended = false;
};

CmdlineReader::CmdlineReader(Read read, std::function<void()> answered)
    : shared_(std::make_shared<Shared>()) {
  shared_->answered = std::move(answered);
  thread_ = std::thread([shared = shared_, read = std::move(read)] { Run(shared, read); });
}

CmdlineReader::~CmdlineReader() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->changed.notify_all();
  const bool ended = shared_->changed.wait_for(lock, kLastWait, [this] { return shared_->ended; });
  lock.unlock();
  ended ? thread_.join() : thread_.detach();
}

void CmdlineReader::Run(const std::shared_ptr<Shared>& shared, const Read& read) {
  pthread_setname_np(pthread_self(), "oom-cmdline");
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->changed.wait(lock, [&] { return shared->stopping || !shared->questions.empty(); });
    if (shared->stopping) {
      shared->ended = true;
      shared->changed.notify_all();
      return;
    }
    Question question = std::move(shared->questions.front());
    shared->questions.pop_front();
    lock.unlock();
    std::string bytes = read(question.tgid, question.start_boottime_ns);
    lock.lock();
    if (!shared->stopping && !bytes.empty()) {
      shared->answers.push_back({std::move(question), std::move(bytes)});
      shared->answered();
    }
  }
}

void CmdlineReader::Ask(Question question) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->questions.size() < kMaxWaiting) {
    shared_->questions.push_back(std::move(question));
    shared_->changed.notify_all();
  }
}

std::vector<CmdlineReader::Answer> CmdlineReader::Take() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->answers, {});
}

}  // namespace oombox
