#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace oombox {

// A few threads that begin tasks in order, so that a gRPC reaction never waits for the disk and a
// task that takes long holds up the others only when every thread has such a one. Thread-safe.
// Bounded: Post says no instead of growing. The destructor runs what was posted, then ends the
// threads.
class WorkQueue {
 public:
  explicit WorkQueue(size_t capacity, size_t threads = 1);

  // False when the queue is full; the task is dropped then.
  [[nodiscard]] bool Post(std::function<void()> task);

 private:
  void Run(const std::stop_token& stop);

  const size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::jthread> threads_;  // last: the others must outlive them
};

}  // namespace oombox
