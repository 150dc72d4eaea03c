#include "agent/event/container.h"

#include <string>

#include "agent/event/assemble_parts.h"

namespace oombox {

namespace {

v1::OomScope ScopeOf(CgroupKind kind) {
  switch (kind) {
    case CgroupKind::kContainer:
      return v1::OOM_SCOPE_CONTAINER;
    case CgroupKind::kPod:
      return v1::OOM_SCOPE_POD;
    case CgroupKind::kQosClass:
      return v1::OOM_SCOPE_QOS;
    case CgroupKind::kNodeAllocatable:
      return v1::OOM_SCOPE_NODE_ALLOCATABLE;
    case CgroupKind::kMonitor:
    case CgroupKind::kSystem:
      return v1::OOM_SCOPE_SYSTEM;
    case CgroupKind::kUnknown:
    case CgroupKind::kRoot:
    case CgroupKind::kInContainer:
    case CgroupKind::kInPod:
      break;
  }
  return v1::OOM_SCOPE_CGROUP;
}

}  // namespace

void FillContainer(const IdentifyCgroupFn& identify, v1::OomEvent& oom) {
  if (oom.scope() == v1::OOM_SCOPE_CGROUP && !oom.limit_hit().cgroup_path().empty()) {
    oom.set_scope(ScopeOf(identify(oom.limit_hit().cgroup_path()).kind));
  }
  if (oom.cgroups().empty()) {
    return;
  }
  const CgroupIdentity victim = identify(oom.cgroups(0).path());
  if (victim.pod_uid.empty() && victim.container_id.empty()) {
    return;
  }
  v1::Container* container = oom.mutable_container();
  container->set_container_id(victim.container_id);
  container->set_pod_uid(victim.pod_uid);
  container->set_runtime_name(victim.runtime_name);
  container->set_qos_class(victim.qos_class);
  if (victim.sandboxed) {
    AddMissing(oom.mutable_quality(), "container",
               "it runs in a virtual machine of its own: what is in there is not seen");
  }
}

}  // namespace oombox
