#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/config.h"
#include "agent/exit_code.h"

namespace oombox {

// What this kernel and these rights give an agent, a line for each feature with what it is or why
// it is missing: `oombox-agent --probe`. Loads the programs for a moment, unpinned, beside an agent
// that may run. Fails when no kill could be recorded at all.
tl::expected<std::string, StartFailure> ProbeReport(const AgentConfig& config);

// The lines, from what is missing. Pure.
std::string RenderProbe(const std::string& kernel_release,
                        const std::vector<MissingFeature>& missing);

}  // namespace oombox
