#include "tools/memhog/cgroup.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include <spdlog/spdlog.h>
#include "tools/memhog/files.h"

namespace oombox {
namespace {

// The kernel tells nobody when a v1 cgroup has become removable: rmdir is the question, asked again
// until this much time has passed.
constexpr auto kRemoveTimeout = std::chrono::seconds(10);
constexpr auto kRemovePause = std::chrono::milliseconds(5);

}  // namespace

Result<std::unique_ptr<Cgroup>> Cgroup::Create(const Hierarchy& hierarchy,
                                               const std::string& parent, const std::string& name,
                                               std::optional<uint64_t> limit_bytes) {
  const std::string path = (parent == "/" ? "" : parent) + "/" + name;
  OOMBOX_TRY(const std::string directory, hierarchy.DirectoryOf(path));
  std::unique_ptr<Cgroup> cgroup(new Cgroup(hierarchy.version, path, directory));
  if (::mkdir(directory.c_str(), 0755) != 0) {
    const int os_error = errno;
    return MakeSystemError(os_error == EEXIST ? ErrorCode::kInvalid : ErrorCode::kPermission,
                           os_error, "mkdir " + directory);
  }
  cgroup->exists_ = true;
  OOMBOX_RETURN_IF_ERROR(cgroup->Configure(limit_bytes));
  return cgroup;
}

Status Cgroup::Configure(std::optional<uint64_t> limit_bytes) {
  struct stat status = {};
  if (::stat(directory_.c_str(), &status) != 0) {
    return MakeSystemError(ErrorCode::kInternal, errno, "stat " + directory_);
  }
  id_ = status.st_ino;
  if (!limit_bytes) {
    return {};
  }
  const std::string limit_file =
      directory_ + (version_ == 1 ? "/memory.limit_in_bytes" : "/memory.max");
  OOMBOX_RETURN_IF_ERROR(WriteSmallFile(limit_file, std::to_string(*limit_bytes)));
  OOMBOX_TRY(limit_bytes_, ReadNumber(limit_file));
  return DisableSwap(limit_bytes_);
}

Status Cgroup::DisableSwap(uint64_t limit_bytes) {
  const std::string file =
      directory_ + (version_ == 1 ? "/memory.memsw.limit_in_bytes" : "/memory.swap.max");
  auto status = WriteSmallFile(file, version_ == 1 ? std::to_string(limit_bytes) : "0");
  // Absent where the kernel does not account swap; harmless unless the machine has swap.
  if (!status && status.error().os_error != ENOENT) {
    return status;
  }
  swap_disabled_ = status.has_value();
  return {};
}

Status Cgroup::KillAsGroup() const {
  if (version_ == 1) {
    return MakeError(ErrorCode::kUnavailable, "cgroup v1 has no memory.oom.group");
  }
  return WriteSmallFile(directory_ + "/memory.oom.group", "1");
}

Cgroup::Counters Cgroup::ReadCounters() const {
  const auto text =
      ReadSmallFile(directory_ + (version_ == 1 ? "/memory.oom_control" : "/memory.events"));
  Counters counters;
  if (!text) {
    return counters;
  }
  const auto numbers = ParseKeyedNumbers(*text);
  if (const auto it = numbers.find("oom_kill"); it != numbers.end()) {
    counters.oom_kill = it->second;
  }
  if (const auto it = numbers.find("oom"); it != numbers.end()) {
    counters.oom = it->second;
  }
  return counters;
}

std::vector<pid_t> Cgroup::Members() const {
  std::vector<pid_t> pids;
  std::istringstream words(ReadSmallFile(ProcsFile()).value_or(""));
  for (pid_t pid = 0; words >> pid;) {
    if (pid > 0) {  // 0 is a process of another pid namespace; kill(0) would be our own group
      pids.push_back(pid);
    }
  }
  return pids;
}

Status Cgroup::Remove() {
  if (!exists_) {
    return {};
  }
  for (auto members = Members(); !members.empty(); members = Members()) {
    for (const pid_t pid : members) {
      ::kill(pid, SIGKILL);
    }
    // Descendants come to us, their subreaper, once their parents are gone.
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) {
      break;
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + kRemoveTimeout;
  while (::rmdir(directory_.c_str()) != 0) {
    const int os_error = errno;
    if (os_error != EBUSY || std::chrono::steady_clock::now() > deadline) {
      return MakeSystemError(ErrorCode::kInternal, os_error, "rmdir " + directory_);
    }
    std::this_thread::sleep_for(kRemovePause);
  }
  exists_ = false;
  return {};
}

Cgroup::~Cgroup() {
  if (const auto status = Remove(); !status) {
    spdlog::error("the cgroup stays: {}", status.error().message);
  }
}

}  // namespace oombox
