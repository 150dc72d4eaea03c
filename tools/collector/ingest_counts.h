#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "agent/common/histogram.h"
#include "agent/common/latency_histogram.h"

namespace oombox {

// What the writer does, counted since the start: received = stored + repeated + rejected +
// returned. Thread-safe, lock-free.
class IngestCounts {
 public:
  // Of one transaction that was tried.
  struct Round {
    uint64_t received = 0;  // events taken from the agents' streams
    uint64_t stored = 0;    // new, or a higher revision of one that was there
    uint64_t rejected = 0;  // refused for good
    bool failed = false;    // the store failed: what is not rejected is sent again by the agents
    std::chrono::nanoseconds duration{0};  // of the commit; nothing when all are rejected
  };
  void Add(const Round& round);
  void AddReport() { reports_.fetch_add(1, std::memory_order_relaxed); }

  struct Values {
    uint64_t received = 0;
    uint64_t stored = 0;
    uint64_t repeated = 0;  // the store had this revision or a higher one
    uint64_t rejected = 0;
    uint64_t returned = 0;  // of failed commits
    uint64_t failed_commits = 0;
    uint64_t reports = 0;
    Histogram::Values commit_ns;
    Histogram::Values commit_events;
  };
  Values Read() const;

 private:
  static constexpr std::array<uint64_t, 10> kBatchBounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

  std::atomic<uint64_t> received_ = 0;
  std::atomic<uint64_t> stored_ = 0;
  std::atomic<uint64_t> repeated_ = 0;
  std::atomic<uint64_t> rejected_ = 0;
  std::atomic<uint64_t> returned_ = 0;
  std::atomic<uint64_t> failed_commits_ = 0;
  std::atomic<uint64_t> reports_ = 0;
  LatencyHistogram commit_ns_;
  Histogram commit_events_{kBatchBounds};
};

}  // namespace oombox
