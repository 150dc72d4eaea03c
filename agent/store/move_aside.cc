#include "agent/store/move_aside.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "agent/common/replace_file.h"

namespace oombox {

namespace {

// Files beside the database; both hold the new name.
std::string Moving(const std::string& path) { return path + ".moving"; }
std::string Moved(const std::string& path) { return path + ".moved-aside"; }

// The first line; empty when there is none.
std::string LineOf(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line;
}

std::string UtcStamp() {
  const time_t now = ::time(nullptr);
  tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  const size_t length = strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return {text, length};
}

std::string FreeName(const std::string& path) {
  const std::string base = fmt::format("{}.corrupt-{}", path, UtcStamp());
  std::string target = base;
  for (int n = 2; ::access(target.c_str(), F_OK) == 0; ++n) {
    target = fmt::format("{}-{}", base, n);
  }
  return target;
}

Status RenameIfThere(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) {
    return MakeSystemError(ErrorCode::kPermission, errno,
                           fmt::format("move damaged {} aside to {}", from, to));
  }
  return {};
}

Status RemoveIfThere(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return MakeSystemError(ErrorCode::kPermission, errno, "remove " + path);
  }
  return {};
}

}  // namespace

std::string DamageMarker(const std::string& path) { return path + ".damaged"; }

Result<std::string> MoveAside(const std::string& path) {
  std::string target = FreeName(path);
  OOMBOX_RETURN_IF_ERROR(ReplaceFile(Moving(path), target + "\n"));
  OOMBOX_RETURN_IF_ERROR(FinishMoveAside(path));
  return target;
}

Status FinishMoveAside(const std::string& path) {
  const std::string target = LineOf(Moving(path));
  if (target.empty()) {
    return {};
  }
  for (const char* suffix : {"", "-wal", "-shm"}) {
    OOMBOX_RETURN_IF_ERROR(RenameIfThere(path + suffix, target + suffix));
  }
  OOMBOX_RETURN_IF_ERROR(RemoveIfThere(DamageMarker(path)));
  return RenameIfThere(Moving(path), Moved(path));
}

std::string MovedAsideUntold(const std::string& path) { return LineOf(Moved(path)); }

Status NoteMovedAsideTold(const std::string& path) { return RemoveIfThere(Moved(path)); }

}  // namespace oombox
