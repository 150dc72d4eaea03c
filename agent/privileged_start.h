#pragma once

#include <memory>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "agent/bpf_loader/cgroup_probe.h"
#include "agent/bpf_loader/kill_probe.h"
#include "agent/capture/kernel_log.h"
#include "agent/capture/redact.h"
#include "agent/config.h"
#include "agent/exit_code.h"
#include "agent/model/reclaim.h"
#include "agent/model/stack_symbols.h"

namespace oombox {

// What the agent keeps of the time in which it has capabilities.
struct PrivilegedParts {
  std::unique_ptr<KillProbe> probe;        // null when replaying
  std::optional<KernelLog> kernel_log;     // none where it may not be read
  std::shared_ptr<StackSymbols> symbols;   // null where the kernel hides them
  std::unique_ptr<Redactor> redactor;      // of command lines
  std::unique_ptr<CgroupProbe> cgroups;    // tells of cgroups; null where it cannot
  std::shared_ptr<ReclaimSource> reclaim;  // null where it cannot be measured
  std::vector<MissingFeature> missing;     // what was refused, beside what the probe misses
};

// Everything that needs a capability, in one place: asks not to be killed, attaches or adopts the
// programs, opens the kernel log and its symbols; then gives up all capabilities for good. Before
// the first thread.
tl::expected<PrivilegedParts, StartFailure> StartPrivileged(const AgentConfig& config);

}  // namespace oombox
