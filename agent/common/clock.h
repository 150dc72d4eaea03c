#pragma once

#include <chrono>
#include <cstdint>

namespace oombox {

// Wall clock, nanoseconds since the epoch (CLOCK_REALTIME).
int64_t WallNowNs();

// CLOCK_BOOTTIME in nanoseconds: monotonic, counts suspend; the clock of bpf_ktime_get_boot_ns().
uint64_t BootNowNs();

// Wall time of a moment given on CLOCK_BOOTTIME, by today's offset between the two clocks.
int64_t WallFromBootNs(uint64_t boottime_ns);

}  // namespace oombox
