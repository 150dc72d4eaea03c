#include "agent/pressure/memory_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "agent/common/clock.h"
#include "agent/common/unique_fd.h"
#include "agent/pressure/parse.h"

namespace oombox {

namespace {

std::optional<uint64_t> ReadNumber(int dir, const char* name) {
  const auto text = ReadSmallFile(dir, name);
  return text ? ParseNumber(*text) : std::nullopt;
}

std::optional<uint64_t> ReadLimit(int dir, const char* name) {
  const auto text = ReadSmallFile(dir, name);
  return text ? ParseLimit(*text) : std::nullopt;
}

std::optional<uint32_t> ReadTasks(int dir, const char* name) {
  const auto tasks = ReadNumber(dir, name);
  return tasks ? std::optional(static_cast<uint32_t>(*tasks)) : std::nullopt;
}

void ReadV2(int dir, MemoryReader::Detail detail, MemoryReader::Reading& reading) {
  MemorySample& sample = reading.sample;
  sample.usage_bytes = ReadNumber(dir, "memory.current");
  sample.limit_bytes = ReadLimit(dir, "memory.max");
  reading.peak_bytes = ReadNumber(dir, "memory.peak");
  if (detail == MemoryReader::Detail::kUsage) {
    return;
  }
  sample.high_bytes = ReadLimit(dir, "memory.high");
  if (const auto stat = ReadSmallFile(dir, "memory.stat")) {
    ParseStatV2(*stat, sample);
  }
  if (const auto events = ReadSmallFile(dir, "memory.events")) {
    sample.events_high = ValueOf(*events, "high");
    sample.events_max = ValueOf(*events, "max");
    sample.events_oom = ValueOf(*events, "oom");
    sample.events_oom_kill = ValueOf(*events, "oom_kill");
  }
  if (const auto pressure = ReadSmallFile(dir, "memory.pressure")) {
    reading.has_psi = ParsePressure(*pressure, sample);
  }
  sample.tasks = ReadTasks(dir, "pids.current");
}

}  // namespace

MemoryReader::MemoryReader(MemoryHierarchy hierarchy, std::string proc)
    : hierarchy_(std::move(hierarchy)), proc_(std::move(proc)) {
  constexpr std::string_view kMemory = "/memory";
  if (!hierarchy_.v2 && hierarchy_.root.ends_with(kMemory)) {
    pids_root_ = hierarchy_.root.substr(0, hierarchy_.root.size() - kMemory.size()) + "/pids";
  }
}

// kmem and tcp are what v1 has for memory.stat's kernel and sock. failcnt counts the charges that
// hit the limit, as `max` of memory.events does.
void MemoryReader::ReadV1(const std::string& path, int dir, Detail detail, Reading& reading) const {
  MemorySample& sample = reading.sample;
  sample.usage_bytes = ReadNumber(dir, "memory.usage_in_bytes");
  sample.limit_bytes = ReadLimit(dir, "memory.limit_in_bytes");
  reading.peak_bytes = ReadNumber(dir, "memory.max_usage_in_bytes");
  if (detail == Detail::kUsage) {
    return;
  }
  sample.kernel_bytes = ReadNumber(dir, "memory.kmem.usage_in_bytes");
  sample.sock_bytes = ReadNumber(dir, "memory.kmem.tcp.usage_in_bytes");
  if (const auto stat = ReadSmallFile(dir, "memory.stat")) {
    ParseStatV1(*stat, sample);
  }
  sample.events_max = ReadNumber(dir, "memory.failcnt");
  if (const auto control = ReadSmallFile(dir, "memory.oom_control")) {
    sample.events_oom_kill = ValueOf(*control, "oom_kill");
  }
  if (!pids_root_.empty()) {
    sample.tasks = ReadTasks(AT_FDCWD, (pids_root_ + path + "/pids.current").c_str());
  }
}

Result<MemoryReader::Reading> MemoryReader::Read(const std::string& path, Detail detail) const {
  const UniqueFd dir(
      ::open((hierarchy_.root + path).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  if (!dir.valid() && LacksMeans(errno)) {
    return MakeSystemError(ErrorCode::kUnavailable, errno, "cannot open cgroup " + path);
  }
  if (!dir.valid() || ::fstat(dir.get(), &status) != 0) {
    return MakeError(ErrorCode::kGone, "cgroup {} is gone", path);
  }
  Reading reading{.cgroup_id = status.st_ino};
  reading.sample.boottime_ns = BootNowNs();
  if (hierarchy_.v2) {
    ReadV2(dir.get(), detail, reading);
  } else {
    ReadV1(path, dir.get(), detail, reading);
  }
  if (!reading.sample.usage_bytes) {  // removed while it was read, or no means to read
    return MakeError(TellsUsage(dir.get()) ? ErrorCode::kUnavailable : ErrorCode::kGone,
                     "cgroup {} does not tell its memory", path);
  }
  reading.until_ns = BootNowNs();
  return reading;
}

bool MemoryReader::TellsUsage(int dir) const {
  return ::faccessat(dir, hierarchy_.v2 ? "memory.current" : "memory.usage_in_bytes", F_OK, 0) == 0;
}

bool MemoryReader::HasLimit(int dir) const {
  return hierarchy_.v2 ? ReadLimit(dir, "memory.max") || ReadLimit(dir, "memory.high")
                       : ReadLimit(dir, "memory.limit_in_bytes").has_value();
}

Result<MemoryReader::Reading> MemoryReader::ReadNode() const {
  Reading reading;
  reading.sample.boottime_ns = BootNowNs();
  const auto meminfo = ReadSmallFile(AT_FDCWD, (proc_ + "/meminfo").c_str());
  if (!meminfo || !ParseMeminfo(*meminfo, reading.sample)) {
    return MakeError(ErrorCode::kUnavailable, "{}/meminfo cannot be read", proc_);
  }
  if (const auto text = ReadSmallFile(AT_FDCWD, (proc_ + "/pressure/memory").c_str())) {
    reading.has_psi = ParsePressure(*text, reading.sample);
  }
  // kswapd works for the node alone; what tasks scan themselves may be because of their cgroup's
  // limit (and counts here, too, on Linux 7.3).
  if (const auto text = ReadSmallFile(AT_FDCWD, (proc_ + "/vmstat").c_str())) {
    reading.scanned_pages = ValueOf(*text, "pgscan_kswapd");
  }
  if (const auto text = ReadSmallFile(AT_FDCWD, (proc_ + "/loadavg").c_str())) {
    reading.sample.tasks = ParseLoadavgTasks(*text);
  }
  reading.until_ns = BootNowNs();
  return reading;
}

}  // namespace oombox
