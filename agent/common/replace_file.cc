#include "agent/common/replace_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

namespace oombox {

Status ReplaceFile(const std::string& path, std::string_view contents) {
  const std::string next = path + ".next";
  {
    std::ofstream file(next, std::ios::trunc | std::ios::binary);
    ::chmod(next.c_str(), S_IRUSR | S_IWUSR);  // as the databases beside it
    file << contents;
    if (!file.flush()) {
      return MakeSystemError(ErrorCode::kPermission, errno, "cannot write " + next);
    }
  }
  if (std::rename(next.c_str(), path.c_str()) != 0) {
    return MakeSystemError(ErrorCode::kPermission, errno, "cannot replace " + path);
  }
  return {};
}

}  // namespace oombox
