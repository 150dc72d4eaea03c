#pragma once

#include <string>

#include "agent/common/result.h"

namespace oombox {

// Exit codes of the agent, as docs/operations.md lists them (sysexits.h where it has one).
enum class ExitCode {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kUnavailable = 69,   // BPF cannot be loaded here
  kCannotCreate = 73,  // state folder or socket cannot be written
  kInUse = 75,         // another agent has the state folder or the socket
};

struct StartFailure {
  ExitCode exit_code = ExitCode::kFailure;
  std::string message;  // cause and remedy, one line
};

// Of what state folder, journal, store and server complain about.
ExitCode CodeOf(const Error& error);
// Of what the loading of the programs complains about.
ExitCode CodeOfLoad(const Error& error);

}  // namespace oombox
