#include <limits>

#include "agent/common/text.h"
#include "agent/store/filter.h"

namespace oombox {

namespace {

// Events that come over the network are not trusted to be escaped.
std::string Printable(const std::string& text) {
  return IsPrintableUtf8(text) ? text : EscapeUntrusted(text);
}

int64_t SaturatedNs(const google::protobuf::Timestamp& time) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  constexpr int64_t kMaxSeconds = std::numeric_limits<int64_t>::max() / kNsPerSecond - 1;
  if (time.seconds() > kMaxSeconds) {
    return std::numeric_limits<int64_t>::max();
  }
  if (time.seconds() < -kMaxSeconds) {
    return std::numeric_limits<int64_t>::min();
  }
  return time.seconds() * kNsPerSecond + time.nanos();
}

void AddContainer(const v1::Container& container, EventAttributes* attributes) {
  attributes->namespace_name = Printable(container.namespace_name());
  attributes->pod = Printable(container.pod_name());
  attributes->container = Printable(container.container_name());
  attributes->owner = Printable(container.owner());
  attributes->image = Printable(container.image_name());
  attributes->qos = Printable(container.qos_class());
}

void AddOom(const v1::OomEvent& oom, EventAttributes* attributes) {
  attributes->kind = oom.superseded_by().empty() ? "oom" : kSupersededKind;
  attributes->workload = Printable(oom.workload());
  AddContainer(oom.container(), attributes);
  if (!oom.cgroups().empty()) {
    attributes->cgroup = Printable(oom.cgroups(0).path());
  }
  if (!oom.victims().empty()) {
    attributes->comm = Printable(oom.victims(0).comm());
    attributes->tgid = oom.victims(0).tgid();
  }
}

void AddNoKill(const v1::NoKillEvent& no_kill, EventAttributes* attributes) {
  attributes->kind = no_kill.kind() == v1::NoKillEvent::KIND_NO_VICTIM ? "no_victim" : kNoKillKind;
  attributes->cgroup = Printable(no_kill.process().cgroup_tail());
  attributes->comm = Printable(no_kill.process().comm());
  attributes->tgid = no_kill.process().tgid();
  AddContainer(no_kill.container(), attributes);
}

}  // namespace

EventAttributes AttributesOf(const v1::Event& event) {
  EventAttributes attributes;
  attributes.id = event.event_id();
  attributes.time_ns = SaturatedNs(event.event_time());
  attributes.node = Printable(event.node().node_name());
  attributes.cluster = Printable(event.node().cluster_name());
  switch (event.body_case()) {
    case v1::Event::kOom:
      AddOom(event.oom(), &attributes);
      break;
    case v1::Event::kPressure:
      attributes.kind = "pressure";
      attributes.cgroup = Printable(event.pressure().cgroup().path());
      attributes.workload = Printable(event.pressure().workload());
      AddContainer(event.pressure().container(), &attributes);
      break;
    case v1::Event::kGap:
      attributes.kind = "gap";
      break;
    case v1::Event::kNoKill:
      AddNoKill(event.no_kill(), &attributes);
      break;
    case v1::Event::BODY_NOT_SET:
      break;
  }
  return attributes;
}

}  // namespace oombox
