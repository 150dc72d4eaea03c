#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/common/result.h"

namespace oombox {

// What /proc tells of a process while it lives.
struct ProcessFacts {
  pid_t pid = 0;
  pid_t tgid = 0;
  pid_t parent_pid = 0;
  pid_t namespace_pid = 0;  // in its innermost pid namespace
  uid_t uid = 0;
  int oom_score_adj = 0;
  std::string comm;          // raw bytes
  uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat: clock ticks since boot
};

// Pure: from the texts of /proc/PID/stat, /proc/PID/status and /proc/PID/comm.
Result<ProcessFacts> ParseProcessFacts(std::string_view stat, std::string_view status,
                                       std::string_view comm);

// kGone or kNotFound when there is no such process.
Result<ProcessFacts> ReadProcessFacts(pid_t pid);

}  // namespace oombox
