#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "agent/config.h"
#include "agent/exit_code.h"

namespace oombox {

// The composition root: owns every stage in the order of the flow and connects them. Destruction
// stops them in reverse; what the kernel has delivered by then is an event.
class Agent {
 public:
  static tl::expected<std::unique_ptr<Agent>, StartFailure> Start(const AgentConfig& config);
  virtual ~Agent() = default;
};

// Removes what an agent left pinned in the kernel. kInUse: an agent runs.
tl::expected<void, StartFailure> Uninstall(const AgentConfig& config);

}  // namespace oombox
