#pragma once

#include <string>
#include <utility>

#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// The folder of a collector's store, held by one collector at a time (flock on
// <path>/collector.lock, given back when the object or the process ends).
class CollectorStateDir {
 public:
  // Creates the folder (0750) when it is missing. kUnavailable: another collector holds it;
  // kPermission: it cannot be created or written.
  static Result<CollectorStateDir> Open(std::string path);

  std::string store_path() const { return path_ + "/events.db"; }

 private:
  CollectorStateDir(std::string path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace oombox
