#include "tests/fakes/sample_events.h"

#include <fmt/format.h>

namespace oombox {

std::string SampleId(uint64_t number) { return fmt::format("{:016}", number); }

v1::NodeIdentity SampleNode(const std::string& name) {
  v1::NodeIdentity node;
  node.set_cluster_name("test");
  node.set_node_name(name);
  node.set_boot_id("b007");
  return node;
}

v1::Event SampleEvent(uint64_t number, const v1::NodeIdentity& node, uint32_t revision) {
  v1::Event event;
  event.set_event_id(SampleId(number));
  event.set_revision(revision);
  event.mutable_event_time()->set_seconds(static_cast<int64_t>(1'700'000'000 + number));
  *event.mutable_node() = node;
  v1::Victim& victim = *event.mutable_oom()->add_victims();
  victim.set_comm("worker");
  victim.set_tgid(static_cast<uint32_t>(number));
  return event;
}

v1::NodeReport SampleReport(const v1::NodeIdentity& node) {
  v1::NodeReport report;
  *report.mutable_node() = node;
  report.mutable_coverage()->set_state(v1::Coverage::STATE_COMPLETE);
  return report;
}

}  // namespace oombox
