#pragma once

#include <string>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// The folder an agent keeps its journal and its store in, held by one agent at a time (flock on
// <path>/agent.lock, given back when the object or the process ends).
class StateDir {
 public:
  // Creates the folder (0750) when it is missing. kUnavailable: another agent holds it;
  // kPermission: it cannot be created or written.
  static Result<StateDir> Open(std::string path);

  std::string journal_path() const { return path_ + "/journal.db"; }
  std::string store_path() const { return path_ + "/events.db"; }

 private:
  StateDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace oombox
