#pragma once

#include "agent/model/runtime_container.h"
#include "runtime/v1/api.pb.h"

namespace oombox {

// What the runtime's messages say, in oombox's words. Each field may be missing or anything: what a
// message does not say stays absent. Pure.

// Of a line of ListContainers; `sandbox` is its pod's, null when the runtime did not list it.
RuntimeContainer ReadListed(const runtime::v1::Container& container,
                            const runtime::v1::PodSandbox* sandbox);

// The pod's own container (pause).
RuntimeContainer ReadSandbox(const runtime::v1::PodSandbox& sandbox);

// Adds what only ContainerStatus tells: limits, knobs, exit.
void AddStatus(const runtime::v1::ContainerStatusResponse& response, RuntimeContainer& container);

}  // namespace oombox
