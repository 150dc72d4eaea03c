#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"
#include "agent/model/logged_kill.h"

namespace oombox {

// Reads one record of /dev/kmsg into the buffer: its length, or -errno as read(2).
using ReadKmsg = std::function<int64_t(std::span<char> buffer)>;

// The log's clock (the scheduler's) is not disciplined by NTP: it drifts against CLOCK_BOOTTIME by
// less than 100 ppm, which is how far boottime_ns of a logged kill may be off.
constexpr uint64_t LogClockErrorNs(uint64_t boottime_ns) { return boottime_ns / 10'000; }

// All kills that `read` finds, from where it stands to the end, in [from_ns, to_ns]
// (CLOCK_BOOTTIME, widened by the error of the log's clock). `offset_ns` is CLOCK_BOOTTIME less the
// log's clock.
Result<std::vector<LoggedKill>> CollectKills(const ReadKmsg& read, uint64_t offset_ns,
                                             uint64_t from_ns, uint64_t to_ns);

// The kernel's log, which may still hold kills that nobody captured. It is a ring: what it does not
// say may have happened all the same. Not thread-safe.
class KernelLog {
 public:
  // Needs CAP_SYSLOG where kernel.dmesg_restrict is 1 (kPermission); the open log needs nothing any
  // more.
  static Result<KernelLog> Open();

  // Reads the whole log anew each time (some milliseconds).
  Result<std::vector<LoggedKill>> KillsBetween(uint64_t from_boottime_ns, uint64_t to_boottime_ns);

 private:
  explicit KernelLog(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace oombox
