#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "agent/store/event_store.h"
#include "agent/store/journal.h"

namespace oombox {

// What journal and store say of their files, asked on a thread of its own: a disk that hangs may
// hold up readers, too, but no report. Journal and store must outlive it. Thread-safe.
class FileStatsReader {
 public:
  struct Stats {
    std::optional<uint64_t> journal_bytes;
    std::optional<int64_t> journal_last_id;
    std::optional<StoreStats> store;
    // How old the rest is at least in part; absent: as of now.
    std::optional<uint64_t> age_ns;
  };

  FileStatsReader(Journal& journal, EventStore& store);
  ~FileStatsReader();

  // As of now; what was known last where the files refuse, or do not answer within a second.
  Stats Get();

 private:
  void Run(const std::stop_token& stop);

  Journal& journal_;
  EventStore& store_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t asked_ = 0;
  uint64_t answered_ = 0;
  // The last that was answered in whole, and when it was asked.
  uint64_t whole_ = 0;
  uint64_t whole_boottime_ns_;
  Stats last_;
  std::jthread thread_;
};

}  // namespace oombox
