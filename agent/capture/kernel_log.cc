#include "agent/capture/kernel_log.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "agent/capture/kernel_log_parser.h"

namespace oombox {

namespace {

constexpr const char* kPath = "/dev/kmsg";
constexpr size_t kMaxRecordBytes = 16384;  // more than any kernel writes at once (8 KiB)
// The biggest log a kernel can have (2 GiB) would hold more; a log of some MiB has less.
constexpr size_t kMaxRecords = 2'000'000;

int64_t Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// The log's clock stands still in suspend, as CLOCK_MONOTONIC does.
uint64_t SuspendedNs() {
  return static_cast<uint64_t>(std::max<int64_t>(0, Now(CLOCK_BOOTTIME) - Now(CLOCK_MONOTONIC)));
}

}  // namespace

Result<std::vector<LoggedKill>> CollectKills(const ReadKmsg& read, uint64_t offset_ns,
                                             uint64_t from_ns, uint64_t to_ns) {
  KernelLogParser parser;
  std::array<char, kMaxRecordBytes> buffer{};
  for (size_t records = 0; records < kMaxRecords; ++records) {
    const int64_t length = read(buffer);
    if (length == -EAGAIN || length == 0) {
      break;
    }
    if (length == -EPIPE || length == -EINTR) {  // overwritten: goes on at the oldest that is left
      continue;
    }
    if (length < 0) {
      return MakeSystemError(ErrorCode::kUnavailable, static_cast<int>(-length),
                             "cannot read the kernel log");
    }
    if (const auto record = ParseKmsgRecord({buffer.data(), static_cast<size_t>(length)})) {
      parser.Feed(*record);
    }
  }
  std::vector<LoggedKill> kills;
  for (LoggedKill& kill : std::move(parser).Take()) {
    kill.boottime_ns = kill.log_time_us * 1000 + offset_ns;
    const uint64_t error = LogClockErrorNs(kill.boottime_ns);
    if (kill.boottime_ns + error >= from_ns && kill.boottime_ns - error <= to_ns) {
      kills.push_back(std::move(kill));
    }
  }
  return kills;
}

Result<KernelLog> KernelLog::Open() {
  UniqueFd fd(::open(kPath, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) {
    const int error = errno;
    const bool refused = error == EPERM || error == EACCES;
    return MakeSystemError(refused ? ErrorCode::kPermission : ErrorCode::kUnavailable, error,
                           std::string("cannot open ") + kPath +
                               (refused ? " (CAP_SYSLOG is needed: kernel.dmesg_restrict)" : ""));
  }
  return KernelLog(std::move(fd));
}

Result<std::vector<LoggedKill>> KernelLog::KillsBetween(uint64_t from_boottime_ns,
                                                        uint64_t to_boottime_ns) {
  // To the oldest record (kernel/printk/printk.c, devkmsg_llseek).
  if (::lseek(fd_.get(), 0, SEEK_SET) < 0) {
    return MakeSystemError(ErrorCode::kUnavailable, errno, "cannot rewind the kernel log");
  }
  const auto read = [this](std::span<char> buffer) -> int64_t {
    const ssize_t length = ::read(fd_.get(), buffer.data(), buffer.size());
    return length < 0 ? -errno : length;
  };
  return CollectKills(read, SuspendedNs(), from_boottime_ns, to_boottime_ns);
}

}  // namespace oombox
