#include "agent/uplink/mailbox.h"

#include <utility>

namespace oombox {

bool Mailbox::OnResponse(v1::IngestResponse response) {
  std::lock_guard lock(mutex_);
  responses_.push_back(std::move(response));
  news_ = true;
  paused_ = responses_.size() >= kCapacity;
  changed_.notify_all();
  return !paused_;
}

void Mailbox::OnWritten() {
  std::lock_guard lock(mutex_);
  turn_ = news_ = true;
  changed_.notify_all();
}

void Mailbox::OnBroken() {
  std::lock_guard lock(mutex_);
  broken_ = news_ = true;
  changed_.notify_all();
}

void Mailbox::Wake() {
  std::lock_guard lock(mutex_);
  news_ = true;
  changed_.notify_all();
}

void Mailbox::Wait(const std::stop_token& stop, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, stop, deadline, [this] { return news_; });
  news_ = false;
}

std::optional<v1::IngestResponse> Mailbox::Take() {
  std::lock_guard lock(mutex_);
  if (responses_.empty()) {
    return std::nullopt;
  }
  v1::IngestResponse response = std::move(responses_.front());
  responses_.pop_front();
  return response;
}

bool Mailbox::TakeResume() {
  std::lock_guard lock(mutex_);
  return responses_.size() < kCapacity && std::exchange(paused_, false);
}

bool Mailbox::has_turn() const {
  std::lock_guard lock(mutex_);
  return turn_;
}

void Mailbox::TakeTurn() {
  std::lock_guard lock(mutex_);
  turn_ = false;
}

bool Mailbox::broken() const {
  std::lock_guard lock(mutex_);
  return broken_;
}

void Mailbox::Reset() {
  std::lock_guard lock(mutex_);
  responses_.clear();
  news_ = paused_ = broken_ = false;
  turn_ = true;
}

}  // namespace oombox
