#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/bpf_loader/cgroup_probe.h"
#include "agent/bpf_loader/kill_probe.h"
#include "agent/config.h"
#include "agent/identity/container_watch.h"
#include "agent/pressure/pressure_watch.h"

namespace oombox {

// The configured socket of the container runtime, else those where one usually is; empty: none, not
// wanted, or replaying.
std::vector<std::string> CriSocketsOf(const AgentConfig& config);

// Absent: there is a runtime to ask.
std::optional<std::string> WhyNoContainerNames(const AgentConfig& config);

// Asks the node's container runtime for names, as configured; null when replaying, with --no-cri or
// without a runtime: `missing` gets the reason. After the capabilities are gone: it starts threads.
std::shared_ptr<ContainerWatch> WatchContainers(const AgentConfig& config,
                                                std::vector<MissingFeature>& missing);

// Tells of the cgroups that appear and go, until `cgroups` is destroyed; both may be null.
void FollowCgroups(CgroupProbe& cgroups, const std::shared_ptr<ContainerWatch>& names,
                   const std::shared_ptr<PressureWatch>& memory);

}  // namespace oombox
