#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace oombox {

// The events of one stream that wait for their acknowledgement, bounded by number and bytes. An
// event that is not sent at all (too big for any collector) takes its place too: it counts as
// acknowledged as soon as all before it are, so that it cannot block the queue. Not thread-safe.
class Window {
 public:
  struct Limits {
    size_t events = 64;
    size_t bytes = 1 << 20;
  };

  // Everything up to `acknowledged` is settled before the stream begins.
  Window(Limits limits, uint64_t acknowledged);

  // An event always fits into an empty window.
  bool HasRoomFor(size_t bytes) const;
  // Seqs grow.
  void AddSent(uint64_t seq, size_t bytes);
  void AddSkipped(uint64_t seq);

  // True when `seq` is one that this stream can acknowledge: nothing beyond what was sent.
  bool CanAcknowledge(uint64_t seq) const { return seq <= last_sent_; }
  // Returns how many sent events this settles.
  size_t Acknowledge(uint64_t seq);

  // Everything up to here is settled.
  uint64_t acknowledged() const { return acknowledged_; }
  // The highest seq that has its place here: reading goes on after it.
  uint64_t last() const { return last_; }
  size_t in_flight() const { return sent_; }

 private:
  struct Entry {
    uint64_t seq = 0;
    size_t bytes = 0;
    bool skipped = false;
  };

  void SettleSkipped();
  void PopFront();

  const Limits limits_;
  std::deque<Entry> entries_;
  size_t sent_ = 0;
  size_t bytes_ = 0;
  uint64_t acknowledged_;
  uint64_t last_sent_;
  uint64_t last_;
};

}  // namespace oombox
