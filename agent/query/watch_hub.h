#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "agent/common/result.h"
#include "agent/store/event_store.h"

namespace oombox {

// Serves all watchers with one thread: a commit or a finished write makes a watcher runnable, the
// thread pumps one runnable watcher after the other. Thread-safe; the store must outlive it.
class WatchHub {
 public:
  class Watcher {
   public:
    virtual ~Watcher() = default;
    // Reads the store and writes what is due, if the client is ready for it. On the hub's thread
    // only.
    virtual void Pump() = 0;
    // The server goes away: end soon. On any thread.
    virtual void Stop() = 0;
  };

  WatchHub(EventStore& store, size_t max_watchers);
  ~WatchHub();

  // Takes the watcher in and makes it runnable. kExhausted: too many. kUnavailable: stopped.
  Status Add(const std::shared_ptr<Watcher>& watcher);
  void Wake(const std::shared_ptr<Watcher>& watcher);
  void Remove(const std::shared_ptr<Watcher>& watcher);

  // Stops every watcher, now and in future.
  void Stop();

 private:
  using Watchers = std::set<std::shared_ptr<Watcher>>;

  void MakeRunnable(const std::shared_ptr<Watcher>& watcher);  // the lock is held
  void WakeAll();
  void Run(const std::stop_token& stop);

  const size_t max_watchers_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Watchers watchers_;
  std::deque<std::shared_ptr<Watcher>> runnable_;  // a subset of watchers_, each once; in turn
  bool stopped_ = false;
  std::unique_ptr<EventStore::Subscription> subscription_;
  std::jthread thread_;  // last: the others must outlive it
};

}  // namespace oombox
