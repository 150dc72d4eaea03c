#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace oombox {

// One thread that runs tasks in order, so that a gRPC reaction never waits for the disk.
// Thread-safe. Bounded: Post says no instead of growing. The destructor runs what was posted, then
// ends the thread.
class WorkQueue {
 public:
  explicit WorkQueue(size_t capacity);

  // False when the queue is full; the task is dropped then.
  [[nodiscard]] bool Post(std::function<void()> task);

 private:
  void Run(std::stop_token stop);

  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> tasks_;
  std::jthread thread_;  // last: the others must outlive it
};

}  // namespace oombox
