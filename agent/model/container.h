#pragma once

#include <string>

namespace oombox {

// What a cgroup is to Kubernetes and to systemd.
enum class CgroupKind {
  kUnknown,
  kRoot,
  kContainer,
  kInContainer,  // made by the container itself, or by crun and podman for its processes
  kPod,
  kInPod,            // of a pod, but no container's
  kMonitor,          // conmon: watches a container, runs outside of it
  kQosClass,         // all pods of one class
  kNodeAllocatable,  // all pods of the node
  kSystem,           // a service, scope, slice or session of systemd
};

enum class CgroupDriver {
  kUnknown,
  kSystemd,
  kCgroupfs,
  // The kubelet speaks systemd's language, the runtime does not understand it: containers are
  // beside the pod's slice, and the pod's limit does not hold them.
  kMismatch,
};

// What the path of a cgroup says, and nothing else: names are the runtime's to tell.
struct CgroupIdentity {
  CgroupKind kind = CgroupKind::kUnknown;
  CgroupDriver driver = CgroupDriver::kUnknown;
  std::string runtime_name =
      {};                      // "containerd", "cri-o", "docker", "podman"; empty: not in the path
  std::string qos_class = {};  // "Guaranteed", "Burstable", "BestEffort"; empty: no pod, or unclear
  // As in the path: a static pod's is the hash of its configuration, 32 digits without dashes.
  std::string pod_uid = {};
  std::string container_id = {};  // a sandbox (pause) looks the same
  std::string unit = {};          // of systemd: "nginx.service"
  // Below a virtual machine's overhead cgroup (Kata): what runs in the guest is not seen.
  bool sandboxed = false;

  bool operator==(const CgroupIdentity&) const = default;
};

}  // namespace oombox
