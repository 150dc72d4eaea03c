#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <thread>

#include "agent/capture/ring_reader.h"
#include "agent/common/latency_histogram.h"
#include "agent/common/result.h"
#include "agent/common/stage_stall.h"
#include "agent/common/unique_fd.h"
#include "agent/store/journal.h"

namespace oombox {

// The first stage: moves raw records from the kernel's ring to the journal. Order is everything:
// the batch is committed, then the ring's room is given back, then `on_committed` runs. While the
// journal refuses (a full disk), nothing is released and the commit is tried again every second:
// the ring fills, and the kernel counts what it cannot put there. What an earlier agent committed
// but did not release is recognised at the start. Owns one thread, from Start to destruction.
class Capture {
 public:
  struct Dependencies {
    int ring_fd;
    std::unique_ptr<RingReader> ring;
    Journal& journal;  // must outlive the capture
    int64_t session_id;
    uint64_t duplicates = 0;  // found before
    // With the journal's last id; runs on the capture thread; must be quick.
    std::function<void(int64_t)> on_committed;
  };

  static Result<std::unique_ptr<Capture>> Start(Dependencies dependencies);
  // Drains what the ring holds at that moment, then stops.
  ~Capture();

  // Records that were there twice at the start: in ring and journal both, or in two layouts' rings.
  uint64_t duplicates() const { return duplicates_; }
  // What waited in the ring at the start.
  uint64_t backlog_bytes() const { return backlog_bytes_; }
  // Zero: everything that was recorded is in the journal.
  uint64_t ring_pending_bytes() const { return ring_->PendingBytes(); }
  // From the kernel's mark until the commit, of what was recorded since this started.
  const LatencyHistogram& latency() const { return latency_; }
  // Stalled: the journal refuses.
  const StageStall& stall() const { return stall_; }

 private:
  Capture(Dependencies dependencies, UniqueFd epoll, UniqueFd stop_event);
  void Run();
  bool Drain();
  Result<int64_t> Append(std::span<const std::string_view> records);
  void WaitForRecords();
  void Pause();
  void NoteAppend(const Status& status);
  void NoteLatency(std::span<const std::string_view> committed);

  std::unique_ptr<RingReader> ring_;
  Journal& journal_;
  const int64_t session_id_;
  const std::function<void(int64_t)> on_committed_;
  const UniqueFd epoll_;
  const UniqueFd stop_event_;
  uint64_t duplicates_ = 0;
  uint64_t backlog_bytes_ = 0;
  const uint64_t start_boottime_ns_;
  LatencyHistogram latency_;
  StageStall stall_;
  std::atomic<bool> stopping_{false};
  std::jthread thread_;
};

}  // namespace oombox
