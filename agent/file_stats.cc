#include "agent/file_stats.h"

#include <pthread.h>

#include <chrono>

namespace oombox {

namespace {

constexpr std::chrono::milliseconds kPatience(500);

}  // namespace

FileStatsReader::FileStatsReader(Journal& journal, EventStore& store)
    : journal_(journal), store_(store) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

FileStatsReader::~FileStatsReader() {
  thread_.request_stop();
  thread_.join();
}

void FileStatsReader::Run(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "oom-files");
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return asked_ > answered_; })) {
    const uint64_t asked = asked_;
    Stats stats = last_;  // what a file does not say stays
    lock.unlock();
    if (const auto bytes = journal_.UsedBytes()) {
      stats.journal_bytes = *bytes;
    }
    if (const auto last = journal_.LastId()) {
      stats.journal_last_id = *last;
    }
    if (const auto store = store_.Stats()) {
      stats.store = *store;
    }
    lock.lock();
    last_ = stats;
    answered_ = asked;
    changed_.notify_all();
  }
}

FileStatsReader::Stats FileStatsReader::Get() {
  std::unique_lock lock(mutex_);
  const uint64_t asked = ++asked_;
  changed_.notify_all();
  changed_.wait_for(lock, kPatience, [&] { return answered_ >= asked; });
  return last_;
}

}  // namespace oombox
