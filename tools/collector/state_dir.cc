#include "tools/collector/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace oombox {

Result<CollectorStateDir> CollectorStateDir::Open(std::string path) {
  std::error_code error;
  const bool created = std::filesystem::create_directories(path, error);
  if (error) {
    return MakeSystemError(
        ErrorCode::kPermission, error.value(),
        fmt::format("cannot create the state folder {} (choose another with --state-dir)", path));
  }
  if (created) {
    ::chmod(path.c_str(), 0750);
  }
  const std::string lock_path = path + "/collector.lock";
  UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!lock.valid()) {
    return MakeSystemError(
        ErrorCode::kPermission, errno,
        fmt::format("cannot write to the state folder {} (choose another with --state-dir)", path));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return MakeError(
        ErrorCode::kUnavailable,
        "another collector works on the state folder {}: stop it, or give this one its "
        "own --state-dir and --listen",
        path);
  }
  return CollectorStateDir(std::move(path), std::move(lock));
}

}  // namespace oombox
