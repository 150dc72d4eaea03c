#pragma once

#include <functional>
#include <string>

namespace oombox {

struct CrashRun {
  bool killed = false;   // false: the child ran to its end before the crash point was reached
  std::string reported;  // what the child wrote to the pipe before it died
};

// Runs `child` in a forked process that SIGKILLs itself in place of its `crash_at`-th system call
// that changes a file (counted from 1, as SQLite makes them). `child` reports through the
// descriptor it is given. This shows what kill -9 does; it does not prove power loss, where what
// was written but not synced is lost too.
CrashRun RunUntilCrash(int crash_at, const std::function<void(int report_fd)>& child);

}  // namespace oombox
