#pragma once

#include <memory>
#include <vector>

#include "agent/identity/container_runtime.h"

namespace oombox {

// Several runtimes of one node as one: CRI-O beside Docker's containerd, k3s's beside the
// distribution's. One that answered in the last ten minutes counts: while it does not answer,
// nothing is said to be gone. One that did not is left out. As ContainerRuntime.
std::unique_ptr<ContainerRuntime> JoinRuntimes(
    std::vector<std::unique_ptr<ContainerRuntime>> runtimes);

}  // namespace oombox
