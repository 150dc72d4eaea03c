#pragma once

#include <cstdint>
#include <string>

namespace oombox {

// The command line of a process that lives, its arguments separated by NUL; empty when there is
// none, or when the pid is another process's by now (its start differs). At most 512 bytes. `tgid`
// is of the initial pid namespace: gives nothing where this process is in another. `root` is where
// /proc is, for tests.
std::string ReadCmdline(uint32_t tgid, uint64_t start_boottime_ns, const std::string& root = "");

// Arguments separated by NUL as one line.
std::string JoinArguments(std::string bytes);

}  // namespace oombox
