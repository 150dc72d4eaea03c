#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/bpf_loader/kill_probe.h"
#include "agent/config.h"
#include "agent/identity/container_watch.h"
#include "agent/pressure/pressure_watch.h"
#include "agent/store/journal.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// The watch over memory as configured, not started yet: what it knows of before is there. Null when
// replaying, when it is switched off, or without a memory controller: `missing` gets the reason,
// and what the kernel does not tell. `reclaim` may be null.
std::shared_ptr<PressureWatch> PrepareMemoryWatch(const AgentConfig& config,
                                                  const JournalSession& session,
                                                  std::shared_ptr<ReclaimSource> reclaim,
                                                  bool has_notices,
                                                  std::vector<MissingFeature>& missing);

// What this machine or this configuration does not tell of memory.
std::vector<MissingFeature> MissingForMemory(const AgentConfig& config);

// Where the curves are kept: beside the socket, whose folder is usually in memory.
std::string CurvePathOf(const AgentConfig& config);

// Adds containers, the watch and the runtime's health to a report; both may be null. Thread-safe.
std::function<void(v1::NodeReport&)> ReportMemory(std::shared_ptr<PressureWatch> memory,
                                                  std::shared_ptr<ReclaimSource> reclaim,
                                                  std::shared_ptr<ContainerWatch> names);

}  // namespace oombox
