#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/store/journal.h"

namespace oombox::testing {

// A journal in memory that can be told to refuse or to hang. Thread-safe.
class FakeJournal final : public Journal {
 public:
  Result<int64_t> Append(int64_t /*session*/, std::span<const std::string_view> records) override {
    std::unique_lock lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !hang_; });
    if (refuse_) {
      return MakeError(ErrorCode::kExhausted, "disk full");
    }
    for (const std::string_view record : records) {
      records_.emplace_back(record);
    }
    changed_.notify_all();
    return static_cast<int64_t>(records_.size());
  }

  void Refuse(bool refuse) {
    const std::lock_guard lock(mutex_);
    refuse_ = refuse;
  }
  // Append does not come back until told so.
  void Hang(bool hang) {
    const std::lock_guard lock(mutex_);
    hang_ = hang;
    changed_.notify_all();
  }
  void WaitForRecords(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return records_.size() >= count; });
  }
  int attempts() {
    const std::lock_guard lock(mutex_);
    return attempts_;
  }
  void WaitForAttempts(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return attempts_ >= count; });
  }
  std::vector<std::string> records() {
    const std::lock_guard lock(mutex_);
    return records_;
  }

  Result<JournalSession> BeginSession(JournalSession session) override { return session; }
  Result<JournalSession> Session(int64_t /*id*/) override { return JournalSession{}; }
  Result<std::vector<JournalEntry>> ReadAfter(int64_t after, size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<JournalEntry> entries;
    for (size_t id = static_cast<size_t>(after) + 1;
         id <= records_.size() && entries.size() < limit; ++id) {
      entries.push_back({.id = static_cast<int64_t>(id), .bytes = records_[id - 1]});
    }
    return entries;
  }
  Result<std::vector<JournalEntry>> ReadLast(size_t limit) override {
    const int64_t last = *LastId();
    return ReadAfter(std::max<int64_t>(0, last - static_cast<int64_t>(limit)), limit);
  }
  Status Retain(int64_t /*derived*/, int64_t /*now_wall_ns*/) override { return {}; }
  Result<int64_t> LastId() override {
    const std::lock_guard lock(mutex_);
    return static_cast<int64_t>(records_.size());
  }
  Result<uint64_t> UsedBytes() override { return 0; }
  std::string moved_aside() const override { return ""; }
  Status NoteMovedAsideTold() override { return {}; }
  bool damaged() const override { return false; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool refuse_ = false;
  bool hang_ = false;
  int attempts_ = 0;
  std::vector<std::string> records_;
};

}  // namespace oombox::testing
