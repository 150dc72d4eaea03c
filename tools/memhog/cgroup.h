#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "tools/memhog/hierarchy.h"

namespace oombox {

// A memory cgroup with a limit and no swap that this process made. The destructor kills what is
// still inside and removes it. Processes inside must be children or descendants of this process,
// which must be their subreaper. One thread only.
class Cgroup {
 public:
  struct Counters {
    std::optional<uint64_t> oom_kill;  // absent before Linux 4.13 on v1
    std::optional<uint64_t> oom;       // v2 only
  };

  // Makes `name` below the cgroup `parent`, with a limit or none. kInvalid when it exists already.
  static Result<std::unique_ptr<Cgroup>> Create(const Hierarchy& hierarchy,
                                                const std::string& parent, const std::string& name,
                                                std::optional<uint64_t> limit_bytes);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  const std::string& path() const { return path_; }      // as the kernel's hierarchy names it
  uint64_t id() const { return id_; }                    // inode of the directory
  uint64_t limit_bytes() const { return limit_bytes_; }  // as the kernel took it; 0: none
  bool swap_disabled() const { return swap_disabled_; }

  // File to write a pid to, "0" for the writer itself.
  std::string ProcsFile() const { return directory_ + "/cgroup.procs"; }
  Counters ReadCounters() const;
  // memory.oom.group; kUnavailable on v1, which has none.
  Status KillAsGroup() const;
  // Kills what is inside, waits for it and removes the directory. Again: does nothing.
  Status Remove();

 private:
  Cgroup(int version, std::string path, std::string directory)
      : version_(version), path_(std::move(path)), directory_(std::move(directory)) {}
  Status Configure(std::optional<uint64_t> limit_bytes);
  Status DisableSwap(uint64_t limit_bytes);
  std::vector<pid_t> Members() const;

  const int version_;
  const std::string path_;
  const std::string directory_;
  uint64_t id_ = 0;
  uint64_t limit_bytes_ = 0;
  bool swap_disabled_ = false;
  bool exists_ = false;
};

}  // namespace oombox
