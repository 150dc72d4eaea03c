#pragma once

#include <memory>
#include <vector>

#include "agent/identity/container_watch.h"
#include "agent/model/container_source.h"
#include "agent/model/pressure.h"
#include "agent/pressure/pressure_watch.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

// What is watched now, for a report: containers, and other cgroups with a limit; a pod's, a QoS
// class's and all pods' only while it is in alarm, since containers tell of theirs. Those in alarm
// first, then the nearest to their limit; below 400 KiB (a collector refuses 1 MiB), the rest is
// only counted. `names` may be null. A pod's sandbox is left out.
void FillContainers(const std::vector<CgroupPressure>& watched, ContainerSource* names,
                    v1::NodeReport& report);

// Of the watch itself, and of the node's own memory.
void FillPressureWatch(const PressureWatch::Status& status, const ReclaimSource* reclaim,
                       v1::NodeReport& report);

// Whether the runtime answers.
void FillNamesHealth(const ContainerWatch::Status& status, v1::NodeReport& report);

}  // namespace oombox
