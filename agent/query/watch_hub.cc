#include "agent/query/watch_hub.h"

#include <algorithm>
#include <utility>

namespace oombox {

WatchHub::WatchHub(EventStore& store, size_t max_watchers)
    : max_watchers_(max_watchers),
      subscription_(store.Subscribe([this] { WakeAll(); })),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

// The thread is joined first, then the subscription ends: both use this object.
WatchHub::~WatchHub() = default;

Status WatchHub::Add(const std::shared_ptr<Watcher>& watcher) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) {
      return MakeError(ErrorCode::kUnavailable, "the server is shutting down");
    }
    if (watchers_.size() >= max_watchers_) {
      return MakeError(ErrorCode::kExhausted, "{} clients are watching already; end one of them",
                       max_watchers_);
    }
    watchers_.insert(watcher);
    MakeRunnable(watcher);
  }
  changed_.notify_one();
  return {};
}

void WatchHub::Wake(const std::shared_ptr<Watcher>& watcher) {
  {
    std::lock_guard lock(mutex_);
    if (!watchers_.contains(watcher)) {
      return;
    }
    MakeRunnable(watcher);
  }
  changed_.notify_one();
}

void WatchHub::Remove(const std::shared_ptr<Watcher>& watcher) {
  std::lock_guard lock(mutex_);
  watchers_.erase(watcher);
  std::erase(runnable_, watcher);
}

void WatchHub::Stop() {
  Watchers watchers;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    watchers = watchers_;
  }
  for (const auto& watcher : watchers) {
    watcher->Stop();
  }
}

// Behind all others: one that wakes itself again and again must not starve them.
void WatchHub::MakeRunnable(const std::shared_ptr<Watcher>& watcher) {
  if (std::find(runnable_.begin(), runnable_.end(), watcher) == runnable_.end()) {
    runnable_.push_back(watcher);
  }
}

void WatchHub::WakeAll() {
  {
    std::lock_guard lock(mutex_);
    for (const auto& watcher : watchers_) {
      MakeRunnable(watcher);
    }
  }
  changed_.notify_one();
}

void WatchHub::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !runnable_.empty(); }) &&
         !stop.stop_requested()) {
    const std::shared_ptr<Watcher> watcher = std::move(runnable_.front());
    runnable_.pop_front();
    lock.unlock();
    watcher->Pump();
    lock.lock();
  }
}

}  // namespace oombox
