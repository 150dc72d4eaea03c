#include "agent/privileges.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "agent/common/unique_fd.h"

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

Status SetOomScoreAdj(int64_t value) {
  constexpr const char* kPath = "/proc/self/oom_score_adj";
  int64_t now = 0;
  std::ifstream(kPath) >> now;
  if (now == value) {
    return {};
  }
  const std::string text = std::to_string(value);
  const UniqueFd file(::open(kPath, O_WRONLY | O_CLOEXEC));
  if (file.valid() &&
      ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return {};
  }
  return MakeSystemError(ErrorCode::kPermission, errno,
                         fmt::format("the agent may be chosen by the OOM killer: oom_score_adj "
                                     "stays {}, {} needs CAP_SYS_RESOURCE",
                                     now, value));
}

}  // namespace oombox
