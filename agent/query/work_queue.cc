#include "agent/query/work_queue.h"

#include <utility>

namespace oombox {

WorkQueue::WorkQueue(size_t capacity, size_t threads) : capacity_(capacity) {
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
  }
}

bool WorkQueue::Post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (tasks_.size() >= capacity_) {
      return false;
    }
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

void WorkQueue::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  // The wait ends without a task only when a stop was asked for.
  while (changed_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace oombox
