#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "agent/config.h"

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

// The composition root: owns every stage in the order of the flow and connects them. Destruction
// stops them in reverse; what the kernel has delivered by then is an event.
class Agent {
 public:
  static tl::expected<std::unique_ptr<Agent>, StartFailure> Start(const AgentConfig& config);
  virtual ~Agent() = default;
};

}  // namespace oombox
