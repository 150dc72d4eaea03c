#include "agent/file_stats.h"

#include <pthread.h>

#include <chrono>

#include "agent/common/clock.h"

namespace oombox {

namespace {

constexpr std::chrono::milliseconds kPatience(1000);

}  // namespace

FileStatsReader::FileStatsReader(Journal& journal, EventStore& store)
    : journal_(journal), store_(store), whole_boottime_ns_(BootNowNs()) {
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
    const uint64_t asked_boottime_ns = BootNowNs();
    Stats stats = last_;  // what a file does not say stays
    lock.unlock();
    const auto bytes = journal_.UsedBytes();
    if (bytes) {
      stats.journal_bytes = *bytes;
    }
    const auto last = journal_.LastId();
    if (last) {
      stats.journal_last_id = *last;
    }
    const auto store = store_.Stats();
    if (store) {
      stats.store = *store;
    }
    lock.lock();
    last_ = stats;
    answered_ = asked;
    if (bytes && last && store) {
      whole_ = asked;
      whole_boottime_ns_ = asked_boottime_ns;
    }
    changed_.notify_all();
  }
}

FileStatsReader::Stats FileStatsReader::Get() {
  std::unique_lock lock(mutex_);
  const uint64_t asked = ++asked_;
  changed_.notify_all();
  changed_.wait_for(lock, kPatience, [&] { return answered_ >= asked; });
  Stats stats = last_;
  if (whole_ < asked) {
    stats.age_ns = BootNowNs() - whole_boottime_ns_;
  }
  return stats;
}

}  // namespace oombox
