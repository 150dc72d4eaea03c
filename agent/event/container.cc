#include "agent/event/container.h"

#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "agent/common/text.h"
#include "agent/event/assemble_parts.h"
#include "agent/event/request.h"
#include "agent/event/workload.h"

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

// True when it is somebody's container, or pod's.
bool FillIds(const CgroupIdentity& identity, v1::Container* container) {
  container->set_container_id(identity.container_id);
  container->set_pod_uid(identity.pod_uid);
  container->set_runtime_name(identity.runtime_name);
  container->set_qos_class(identity.qos_class);
  return !identity.pod_uid.empty() || !identity.container_id.empty();
}

void FillRequest(const RuntimeContainer& known, uint64_t node_memory_bytes, v1::Container* out) {
  const auto request = RequestOf(out->qos_class(), *known.oom_score_adj, known.memory_limit_bytes,
                                 node_memory_bytes);
  if (request) {
    out->set_memory_request_bytes(request->bytes);
    out->set_memory_request_error_bytes(request->error_bytes);
  }
}

void FillNames(const RuntimeContainer& known, uint64_t node_memory_bytes, v1::Container* out) {
  out->set_container_name(EscapeUntrusted(known.container_name));
  out->set_pod_name(EscapeUntrusted(known.pod_name));
  out->set_namespace_name(EscapeUntrusted(known.namespace_name));
  out->set_image_name(EscapeUntrusted(known.image_name));
  out->set_owner(EscapeUntrusted(known.owner));
  if (out->pod_uid().empty()) {
    out->set_pod_uid(EscapeUntrusted(known.pod_uid));
  }
  if (out->runtime_name().empty()) {
    out->set_runtime_name(EscapeUntrusted(known.runtime_name));
  }
  if (known.restart_count) {
    out->set_restart_count(*known.restart_count);
  }
  if (known.memory_limit_bytes) {
    out->set_memory_limit_bytes(*known.memory_limit_bytes);
  }
  if (known.oom_score_adj) {
    out->set_oom_score_adj(*known.oom_score_adj);
    FillRequest(known, node_memory_bytes, out);
  }
  out->clear_knobs();
  for (const Knob& knob : known.knobs) {
    v1::Knob* added = out->add_knobs();
    added->set_name(EscapeUntrusted(knob.name));
    added->set_value(knob.value);
  }
}

void FillExit(const RuntimeExit& exit, v1::Container* out) {
  out->set_exit_reason(EscapeUntrusted(exit.reason));
  out->set_exit_code(exit.exit_code);
  *out->mutable_exit_time() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(exit.finished_wall_ns);
}

v1::KubernetesVerdict VerdictOf(bool kernel_killed, const ContainerSource::Answer& answer) {
  if (!answer.asked) {
    return v1::KUBERNETES_VERDICT_UNSPECIFIED;
  }
  const bool says_oom = answer.container.exit && answer.container.exit->reason == "OOMKilled";
  if (kernel_killed) {
    return says_oom ? v1::KUBERNETES_VERDICT_CONFIRMED : v1::KUBERNETES_VERDICT_KUBERNETES_MISSED;
  }
  return says_oom ? v1::KUBERNETES_VERDICT_KUBERNETES_FALSE_POSITIVE
                  : v1::KUBERNETES_VERDICT_SIGKILL_NOT_OOM;
}

constexpr const char* kNamesField = "container.pod_name";

bool IsMissing(const v1::CaptureQuality& quality, std::string_view field) {
  return std::any_of(quality.missing().begin(), quality.missing().end(),
                     [&](const v1::MissingField& missing) { return missing.field() == field; });
}

v1::Container* MutableContainer(v1::Event& event) {
  if (event.has_pressure()) {
    return event.mutable_pressure()->mutable_container();
  }
  return event.has_oom() ? event.mutable_oom()->mutable_container()
                         : event.mutable_no_kill()->mutable_container();
}

// The path says which pod it is; a runtime that says another answers for something else. The uid of
// a static pod is written without dashes.
bool IsAnotherPods(const RuntimeContainer& known, const v1::Container& container) {
  const auto digits = [](std::string uid) {
    std::erase(uid, '-');
    return uid;
  };
  return !known.pod_uid.empty() && !container.pod_uid().empty() &&
         digits(known.pod_uid) != digits(container.pod_uid());
}

// gVisor and Kata run what is in the container on a kernel of their own. The names of the handlers
// are the cluster's, but these are what their installations use.
bool IsSandboxed(const RuntimeContainer& known) {
  return known.runtime_handler.starts_with("runsc") ||
         known.runtime_handler.starts_with("gvisor") || known.runtime_handler.starts_with("kata");
}

// True when that is news.
bool TellWrongPod(v1::Event& event) {
  if (!event.has_oom() || IsMissing(event.oom().quality(), kNamesField)) {
    return false;
  }
  AddMissing(event.mutable_oom()->mutable_quality(), kNamesField,
             "the container runtime names another pod than the cgroup's path");
  return true;
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
  if (!FillIds(victim, oom.mutable_container())) {
    oom.clear_container();
    AddMissing(oom.mutable_quality(), "container", "its cgroup is no container's");
    return;
  }
  if (victim.sandboxed) {
    AddMissing(oom.mutable_quality(), "container",
               "it runs in a virtual machine of its own: what is in there is not seen");
  }
}

void FillContainer(const IdentifyCgroupFn& identify, v1::NoKillEvent& no_kill) {
  if (no_kill.kind() == v1::NoKillEvent::KIND_INIT_KILLED &&
      !FillIds(identify(no_kill.process().cgroup_tail()), no_kill.mutable_container())) {
    no_kill.clear_container();
  }
}

void FillContainer(const IdentifyCgroupFn& identify, v1::PressureEvent& pressure) {
  if (!FillIds(identify(pressure.cgroup().path()), pressure.mutable_container())) {
    pressure.clear_container();
  }
}

const v1::Container* ContainerOf(const v1::Event& event) {
  const v1::Container* container = nullptr;
  if (event.has_oom() && event.oom().has_container()) {
    container = &event.oom().container();
  } else if (event.has_no_kill() && event.no_kill().has_container()) {
    container = &event.no_kill().container();
  } else if (event.has_pressure() && event.pressure().has_container()) {
    container = &event.pressure().container();
  }
  return container == nullptr || container->container_id().empty() ? nullptr : container;
}

bool AddNames(const RuntimeContainer& known, v1::Event& event) {
  v1::Container* const container = MutableContainer(event);
  if (IsAnotherPods(known, *container)) {
    return TellWrongPod(event);
  }
  if (event.has_oom() && IsSandboxed(known) && !IsMissing(event.oom().quality(), "container")) {
    AddMissing(event.mutable_oom()->mutable_quality(), "container",
               "it runs on a kernel of its own (" + EscapeUntrusted(known.runtime_handler) +
                   "): what is in there is not seen");
  }
  const v1::Container before = *container;
  FillNames(known, event.node().memory_total_bytes(), container);
  if (event.has_pressure() && !container->pod_name().empty()) {
    event.mutable_pressure()->set_workload(WorkloadOfContainer(*container));
  }
  if (event.has_oom() && !container->pod_name().empty()) {
    event.mutable_oom()->set_workload(WorkloadOfContainer(*container));
    auto* missing = event.mutable_oom()->mutable_quality()->mutable_missing();
    missing->erase(
        std::remove_if(missing->begin(), missing->end(),
                       [](const v1::MissingField& field) { return field.field() == kNamesField; }),
        missing->end());
  }
  return !google::protobuf::util::MessageDifferencer::Equals(before, *container);
}

void TellNobodyIsAsked(v1::Event& event) {
  if (event.has_oom() && !IsMissing(event.oom().quality(), kNamesField)) {
    AddMissing(event.mutable_oom()->mutable_quality(), kNamesField,
               "this agent does not ask the container runtime");
  }
}

bool AddFate(const ContainerSource::Answer& answer, v1::Event& event) {
  v1::Container* const container = MutableContainer(event);
  if (IsAnotherPods(answer.container, *container)) {
    return TellWrongPod(event) || event.has_oom();
  }
  const bool named = answer.found && AddNames(answer.container, event);
  if (answer.asked && answer.container.exit) {
    FillExit(*answer.container.exit, container);
  } else if (answer.asked && answer.container.running) {
    container->set_survived(true);
  }
  const v1::KubernetesVerdict verdict = VerdictOf(event.has_oom(), answer);
  if (event.has_oom()) {
    if (verdict !=
        v1::KUBERNETES_VERDICT_UNSPECIFIED) {  // else what is there came before a restart
      event.mutable_oom()->set_kubernetes_verdict(verdict);
    }
    if (container->pod_name().empty() && !IsMissing(event.oom().quality(), kNamesField)) {
      AddMissing(event.mutable_oom()->mutable_quality(), kNamesField,
                 "the container runtime does not know the container, or did not answer in time");
    }
  } else if (verdict != v1::KUBERNETES_VERDICT_UNSPECIFIED) {
    event.mutable_no_kill()->set_kubernetes_verdict(verdict);
  }
  return named || answer.found || event.has_oom();
}

}  // namespace oombox
