#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/identity/container_runtime.h"

namespace oombox {

// Speaks the Container Runtime Interface (runtime.v1) to the socket of containerd, CRI-O or
// cri-dockerd, and only ever reads. Who may open that socket may do anything on the node: see
// docs/security.md. A runtime may be restarted, or start later; of several sockets see
// runtime_set.h. At least one.
std::unique_ptr<ContainerRuntime> ConnectCri(const std::vector<std::string>& sockets,
                                             std::chrono::milliseconds deadline);

// Those of the field's usual sockets that are there, below `root` ("" on a node). containerd's
// comes last: beside cri-dockerd it is Docker's, and does not speak CRI.
std::vector<std::string> FindCriSockets(const std::string& root);

}  // namespace oombox
