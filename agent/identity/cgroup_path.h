#pragma once

#include <string_view>

#include "agent/model/container.h"

namespace oombox {

// Reads the path of a cgroup below the mount point of the memory controller, as the host sees it:
// systemd's and cgroupfs' shapes of the kubelet's tree, of containerd, CRI-O, Docker, cri-dockerd
// and Podman, nested in a node that is a container itself (kind, minikube), seen from a private
// cgroup namespace ("/../..."), and systemd's own units. What it does not know stays unknown. Pure;
// any bytes.
CgroupIdentity IdentifyCgroup(std::string_view path);

}  // namespace oombox
