#pragma once

#include <chrono>
#include <cstdint>

namespace oombox {

// Wall clock, nanoseconds since the epoch (CLOCK_REALTIME).
int64_t WallNowNs();

// CLOCK_BOOTTIME in nanoseconds: monotonic, counts suspend; the clock of bpf_ktime_get_boot_ns().
uint64_t BootNowNs();

// CPU time of the calling thread: what something costs, however busy the machine is otherwise.
uint64_t ThreadCpuNs();

// Wall time of a moment given on CLOCK_BOOTTIME, by today's offset between the two clocks.
int64_t WallFromBootNs(uint64_t boottime_ns);

// A wall clock that nobody sets: the wall time at its making and the time since. Ages by it are
// right whatever happens to the real one.
class UnsetWallClock {
 public:
  UnsetWallClock() : offset_ns_(WallNowNs() - static_cast<int64_t>(BootNowNs())) {}
  int64_t operator()() const { return offset_ns_ + static_cast<int64_t>(BootNowNs()); }

 private:
  const int64_t offset_ns_;
};

}  // namespace oombox
