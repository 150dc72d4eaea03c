#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace oombox {

// Whether a stage has work and makes no progress, since when and why. Written by the stage, read by
// whoever reports; thread-safe.
class StageStall {
 public:
  // True when this is news.
  bool Begin(std::string reason, uint64_t now_boottime_ns) {
    const std::lock_guard lock(mutex_);
    const bool news = !since_;
    since_ = since_.value_or(now_boottime_ns);
    reason_ = std::move(reason);
    return news;
  }
  bool End() {
    const std::lock_guard lock(mutex_);
    const bool news = since_.has_value();
    since_.reset();
    return news;
  }

  std::optional<uint64_t> since_boottime_ns() const {
    const std::lock_guard lock(mutex_);
    return since_;
  }
  std::string reason() const {
    const std::lock_guard lock(mutex_);
    return reason_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<uint64_t> since_;
  std::string reason_;
};

}  // namespace oombox
