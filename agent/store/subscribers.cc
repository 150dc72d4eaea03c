#include "agent/store/subscribers.h"

namespace oombox {

class Subscribers::Handle final : public EventStore::Subscription {
 public:
  Handle(std::shared_ptr<Shared> shared, uint64_t key) : shared_(std::move(shared)), key_(key) {}
  ~Handle() override {
    std::lock_guard lock(shared_->mutex);
    shared_->callbacks.erase(key_);
  }

 private:
  const std::shared_ptr<Shared> shared_;
  const uint64_t key_;
};

std::unique_ptr<EventStore::Subscription> Subscribers::Add(std::function<void()> callback) {
  std::lock_guard lock(shared_->mutex);
  const uint64_t key = shared_->next_key++;
  shared_->callbacks.emplace(key, std::move(callback));
  return std::make_unique<Handle>(shared_, key);
}

void Subscribers::Notify() {
  std::lock_guard lock(shared_->mutex);
  for (const auto& [key, callback] : shared_->callbacks) {
    callback();
  }
}

}  // namespace oombox
