#pragma once

#include <functional>
#include <memory>

#include "agent/capture/cgroup_kills.h"
#include "agent/identity/container_watch.h"
#include "agent/model/container_source.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// The containers of this node that have a memory cgroup now: path, usage, limit, and what is known
// of each by name. `names` may be null. A cgroup that vanishes meanwhile is left out. The report
// stays below 400 KiB of them (a collector refuses 1 MiB); the rest is only counted, and no more
// than 20 000 cgroups are looked at.
void FillContainers(const MemoryHierarchy& hierarchy, ContainerSource* names,
                    v1::NodeReport& report);

// The same for a report, at most 5 s old, and whether the runtime answers; null when there is
// nothing to look at. `names` may be null. What it returns is thread-safe.
std::function<void(v1::NodeReport&)> ContainerUsage(bool replaying,
                                                    std::shared_ptr<ContainerWatch> names);

}  // namespace oombox
