#pragma once

#include <string>
#include <utility>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// The folder a daemon keeps its files in, held by one daemon at a time: flock on
// <path>/<name>.lock, given back when the object or the process ends.
class StateDir {
 public:
  // Creates the folder (0750) when it is missing. `name` is "agent" or "collector". kUnavailable:
  // another one holds it; kPermission: it cannot be created or written.
  static Result<StateDir> Open(std::string path, const std::string& name);

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  StateDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace oombox
