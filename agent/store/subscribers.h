#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "agent/store/event_store.h"

namespace oombox {

// Who wants to hear of commits. Thread-safe. A subscription may outlive this object; destroying one
// waits for a call of its callback that is running.
class Subscribers {
 public:
  std::unique_ptr<EventStore::Subscription> Add(std::function<void()> callback);
  void Notify();

 private:
  struct Shared {
    std::mutex mutex;  // held during the callbacks: that is what makes unsubscribing wait
    uint64_t next_key = 0;
    std::map<uint64_t, std::function<void()>> callbacks;
  };
  class Handle;

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace oombox
