#include "agent/privileges.h"

#include <cap-ng.h>
#include <sys/prctl.h>

#include <cerrno>
#include <filesystem>
#include <iterator>

namespace oombox {

Status DropCapabilities() {
  std::error_code unreadable;
  const auto threads =
      std::distance(std::filesystem::directory_iterator("/proc/self/task", unreadable),
                    std::filesystem::directory_iterator());
  if (!unreadable && threads != 1) {
    return MakeError(
        ErrorCode::kInternal,
        "capabilities belong to threads, and {} run already: nothing may start one before",
        threads);
  }
  capng_clear(CAPNG_SELECT_ALL);
  // The bounding set can be changed with CAP_SETPCAP only; without it the rest still goes.
  capng_apply(CAPNG_SELECT_BOUNDS);
  capng_clear(CAPNG_SELECT_ALL);
  if (const int error = capng_apply(CAPNG_SELECT_CAPS); error < 0) {
    return MakeError(ErrorCode::kPermission, "cannot drop capabilities (libcap-ng error {})",
                     error);
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot clear ambient capabilities");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot set no_new_privs");
  }
  return {};
}

}  // namespace oombox
