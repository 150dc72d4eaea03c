#include "tools/oombox/render/event_names.h"

#include <fmt/format.h>

#include <initializer_list>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

std::optional<MemorySum> Sum(std::initializer_list<std::optional<uint64_t>> parts) {
  MemorySum sum;
  bool any = false;
  for (const auto& part : parts) {
    if (!part) {
      sum.complete = false;
      continue;
    }
    any = true;
    if (__builtin_add_overflow(sum.bytes, *part, &sum.bytes)) {
      return std::nullopt;
    }
  }
  return any ? std::optional(sum) : std::nullopt;
}

std::optional<uint64_t> Known(bool has, uint64_t value) {
  return has ? std::optional(value) : std::nullopt;
}

std::string ScopeText(v1::OomScope scope) {
  switch (scope) {
    case v1::OOM_SCOPE_CONTAINER:
      return "container";
    case v1::OOM_SCOPE_POD:
      return "pod";
    case v1::OOM_SCOPE_QOS:
      return "QoS class";
    case v1::OOM_SCOPE_NODE_ALLOCATABLE:
      return "allocatable";
    case v1::OOM_SCOPE_SYSTEM:
      return "service";
    case v1::OOM_SCOPE_NODE:
      return "node memory";
    case v1::OOM_SCOPE_CGROUP:
      return "cgroup";
    default:
      return "unknown";
  }
}

}  // namespace

std::optional<MemorySum> ResidentMemory(const v1::ProcessMemory& memory) {
  if (memory.has_exact()) {
    const auto& exact = memory.exact();
    return Sum({exact.anon_bytes(), exact.file_bytes(), exact.shmem_bytes()});
  }
  return Sum({Known(memory.has_anon_bytes(), memory.anon_bytes()),
              Known(memory.has_file_bytes(), memory.file_bytes()),
              Known(memory.has_shmem_bytes(), memory.shmem_bytes())});
}

std::optional<MemorySum> ResidentAndSwap(const v1::ProcessMemory& memory) {
  std::optional<MemorySum> sum = ResidentMemory(memory);
  const auto swap = memory.has_exact() ? std::optional(memory.exact().swap_bytes())
                                       : Known(memory.has_swap_bytes(), memory.swap_bytes());
  if (!sum) {
    return swap ? std::optional(MemorySum{*swap, false}) : std::nullopt;
  }
  const bool complete = sum->complete && swap.has_value();
  sum = Sum({sum->bytes, swap.value_or(0)});
  if (sum) {
    sum->complete = complete;
  }
  return sum;
}

std::string MemoryText(const std::optional<MemorySum>& sum) {
  if (!sum) {
    return "unknown";
  }
  return (sum->complete ? "" : "≥ ") + FormatBytes(sum->bytes);
}

std::string EventSubject(const v1::Event& event) {
  const v1::Container& container = event.has_pressure()  ? event.pressure().container()
                                   : event.has_no_kill() ? event.no_kill().container()
                                                         : event.oom().container();
  if (!container.pod_name().empty()) {
    const std::string pod = container.namespace_name() + "/" + container.pod_name();
    return container.container_name().empty() ? pod : pod + "/" + container.container_name();
  }
  if (event.has_pressure()) {
    return event.pressure().whole_node() ? "the node" : event.pressure().cgroup().path();
  }
  if (event.has_oom() && !event.oom().cgroups().empty()) {
    return event.oom().cgroups(0).path();
  }
  if (event.has_oom()) {
    return event.oom().workload().empty() ? "unknown cgroup" : event.oom().workload();
  }
  if (event.has_no_kill()) {
    const std::string& tail = event.no_kill().process().cgroup_tail();
    return tail.empty() ? "unknown cgroup" : tail;
  }
  return event.node().node_name().empty() ? "unknown node" : event.node().node_name();
}

std::string NoKillText(const v1::NoKillEvent& no_kill) {
  const v1::NoKillProcess& process = no_kill.process();
  const std::string name = ProcessName(process.comm(), process.namespace_pid(), process.tgid());
  switch (no_kill.kind()) {
    case v1::NoKillEvent::KIND_INIT_KILLED:
      return fmt::format("{} got SIGKILL from {}, no OOM", name,
                         ProcessName(no_kill.sender().comm(), 0, no_kill.sender().tgid()));
    case v1::NoKillEvent::KIND_ALREADY_DYING:
      return name + " was dying already, no kill";
    case v1::NoKillEvent::KIND_NO_VICTIM:
      return "OUT OF MEMORY, nobody to kill; asked for by " + name;
    default:
      return name + " no kill";
  }
}

std::string ProcessName(const std::string& comm, uint32_t namespace_pid, uint32_t tgid) {
  const uint32_t pid = namespace_pid != 0 ? namespace_pid : tgid;
  return fmt::format("{}[{}]", comm.empty() ? "?" : comm, pid == 0 ? "?" : std::to_string(pid));
}

std::string VictimName(const v1::Victim& victim) {
  return ProcessName(victim.comm(), victim.namespace_pid(), victim.tgid());
}

bool FromKernelLog(const v1::Event& event) {
  return event.oom().quality().provenance() == v1::PROVENANCE_RECONSTRUCTED;
}

std::string CauseText(const v1::OomEvent& oom) {
  const bool inferred =
      oom.has_limit_hit() && oom.limit_hit().provenance() == v1::PROVENANCE_INFERRED;
  return ScopeText(oom.scope()) + (inferred ? ", inferred" : "");
}

std::string LimitText(const v1::OomEvent& oom) {
  if (oom.limit_hit().has_limit_bytes()) {
    return FormatBytes(oom.limit_hit().limit_bytes());
  }
  return oom.scope() == v1::OOM_SCOPE_NODE ? "node" : "unknown";
}

std::string GapLoss(const v1::GapEvent& gap) {
  if (!gap.has_count()) {
    return "kills may be lost, not counted";
  }
  std::string text = fmt::format("{} {} lost", gap.count(), gap.count() == 1 ? "kill" : "kills");
  if (gap.reconstructed() > 0) {
    text += gap.reconstructed() >= gap.count()
                ? ", found in the kernel log"
                : fmt::format(", {} of them in the kernel log", gap.reconstructed());
  }
  return text;
}

std::string ActivityText(v1::Trigger::Activity activity) {
  switch (activity) {
    case v1::Trigger::ACTIVITY_PAGE_FAULT:
      return "touching its own memory";
    case v1::Trigger::ACTIVITY_TMPFS:
      return "filling a file in tmpfs or shared memory";
    case v1::Trigger::ACTIVITY_PAGE_CACHE_READ:
      return "reading a file";
    case v1::Trigger::ACTIVITY_PAGE_CACHE_WRITE:
      return "writing a file";
    case v1::Trigger::ACTIVITY_FORK:
      return "making a process or thread";
    case v1::Trigger::ACTIVITY_EXEC:
      return "starting a program";
    case v1::Trigger::ACTIVITY_SOCKET:
      return "using a socket";
    case v1::Trigger::ACTIVITY_KERNEL_MEMORY:
      return "asking for kernel memory";
    case v1::Trigger::ACTIVITY_LIMIT_CHANGE:
      return "lowering the limit";
    default:
      return "";
  }
}

std::string GapCause(v1::GapEvent::Cause cause) {
  switch (cause) {
    case v1::GapEvent::CAUSE_RING_FULL:
      return "the kernel's ring was full";
    case v1::GapEvent::CAUSE_NOT_RUNNING:
      return "the agent was not attached";
    case v1::GapEvent::CAUSE_UNEXPLAINED:
      return "the kernel counted more kills than were captured";
    case v1::GapEvent::CAUSE_UNDECODABLE:
      return "a record could not be decoded (its bytes are kept)";
    case v1::GapEvent::CAUSE_EVICTED:
      return "the store was full";
    case v1::GapEvent::CAUSE_RECURSION:
      return "the kernel skipped the recording program";
    case v1::GapEvent::CAUSE_DAMAGED_FILE:
      return "a file was damaged or is gone";
    default:
      return "cause unknown";
  }
}

}  // namespace oombox
