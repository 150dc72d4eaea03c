#include "agent/common/clock.h"

#include <time.h>

namespace oombox {

namespace {

int64_t Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t WallNowNs() { return Now(CLOCK_REALTIME); }

uint64_t BootNowNs() { return static_cast<uint64_t>(Now(CLOCK_BOOTTIME)); }

uint64_t ThreadCpuNs() { return static_cast<uint64_t>(Now(CLOCK_THREAD_CPUTIME_ID)); }

int64_t WallFromBootNs(uint64_t boottime_ns) {
  return WallNowNs() - (static_cast<int64_t>(BootNowNs()) - static_cast<int64_t>(boottime_ns));
}

}  // namespace oombox
