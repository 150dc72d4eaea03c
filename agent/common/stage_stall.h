#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace oombox {

// Whether a stage has work and makes no progress, since when and why: because what it calls
// refuses, or does not come back. Written by the stage, read by whoever reports; thread-safe.
class StageStall {
 public:
  struct State {
    uint64_t since_boottime_ns = 0;
    std::string reason;
  };
  // A call to the disk that takes longer hangs.
  static constexpr uint64_t kHangNs = 10'000'000'000;

  // Around one such call.
  class Call {
   public:
    Call(StageStall& stall, uint64_t now_boottime_ns) : stall_(stall) {
      stall_.SetCall(now_boottime_ns);
    }
    ~Call() { stall_.SetCall(std::nullopt); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    StageStall& stall_;
  };

  // True when this is news.
  bool Begin(std::string reason, uint64_t now_boottime_ns) {
    const std::lock_guard lock(mutex_);
    const bool news = !refused_;
    refused_ = State{news ? now_boottime_ns : refused_->since_boottime_ns, std::move(reason)};
    return news;
  }
  bool End() {
    const std::lock_guard lock(mutex_);
    const bool news = refused_.has_value();
    refused_.reset();
    return news;
  }

  std::optional<State> Look(uint64_t now_boottime_ns) const {
    const std::lock_guard lock(mutex_);
    if (!refused_ && call_boottime_ns_ && now_boottime_ns >= *call_boottime_ns_ + kHangNs) {
      return State{*call_boottime_ns_, "a call to the disk has not come back"};
    }
    return refused_;
  }

 private:
  void SetCall(std::optional<uint64_t> begin_boottime_ns) {
    const std::lock_guard lock(mutex_);
    call_boottime_ns_ = begin_boottime_ns;
  }

  mutable std::mutex mutex_;
  std::optional<State> refused_;
  std::optional<uint64_t> call_boottime_ns_;
};

}  // namespace oombox
