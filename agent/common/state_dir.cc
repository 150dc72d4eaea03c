#include "agent/common/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace oombox {

Result<StateDir> StateDir::Open(std::string path, const std::string& name) {
  const std::string remedy = fmt::format("{} (choose a writable one with --state-dir)", path);
  std::error_code error;
  const bool created = std::filesystem::create_directories(path, error);
  if (error) {
    return MakeSystemError(ErrorCode::kPermission, error.value(),
                           "cannot create the state folder " + remedy);
  }
  if (created) {
    ::chmod(path.c_str(), 0750);
  }
  const std::string lock_path = fmt::format("{}/{}.lock", path, name);
  UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!lock.valid()) {
    return MakeSystemError(ErrorCode::kPermission, errno,
                           "cannot write to the state folder " + remedy);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return MakeSystemError(ErrorCode::kPermission, errno,
                             "cannot lock the state folder " + remedy);
    }
    return MakeError(ErrorCode::kUnavailable,
                     "another {} works on the state folder {}: stop it, or give this one its own "
                     "--state-dir",
                     name, path);
  }
  return StateDir(std::move(path), std::move(lock));
}

}  // namespace oombox
