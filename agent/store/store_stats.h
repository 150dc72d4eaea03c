#pragma once

#include <cstdint>

namespace oombox {

// What an event store counts.
struct StoreStats {
  uint64_t bytes = 0;  // of pages in use: what retention bounds
  uint64_t events = 0;
  uint64_t last_seq = 0;
  uint64_t acknowledged_seq = 0;
  uint64_t unacknowledged = 0;
  uint64_t evicted_unacknowledged = 0;  // or refused
  // Kept here alone: the collector refused them for good, or their bytes do not parse.
  uint64_t refused = 0;
  // Time of the newest event that was evicted and that the collector does not have; 0: none.
  int64_t missing_time_ns = 0;
  uint64_t evicted = 0;  // by Retain since Open, acknowledged or not
  // Captured kills (OOM events that are not reconstructed) that were ever stored here.
  uint64_t oom_events_ever = 0;
  uint64_t unreadable = 0;  // rows that were skipped since the store was opened
};

}  // namespace oombox
