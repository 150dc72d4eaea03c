#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "oombox/v1/event.pb.h"
#include "oombox/v1/node.pb.h"

namespace oombox {

inline constexpr int64_t kBenchStart = 1'760'000'000;

// An event about as big as a real one of a container: four cgroups, ten users of memory.
inline v1::Event BenchEvent(uint64_t number, const std::string& node) {
  v1::Event event;
  event.set_event_id(fmt::format("{:016}", number));
  event.set_revision(1);
  event.mutable_event_time()->set_seconds(kBenchStart + static_cast<int64_t>(number));
  event.mutable_node()->set_node_name(node);
  v1::OomEvent* oom = event.mutable_oom();
  oom->set_workload(fmt::format("ns-{}/deployment/app-{}", number % 20, number % 997));
  v1::Victim* victim = oom->add_victims();
  victim->set_tgid(static_cast<uint32_t>(number % 32768 + 1));
  victim->set_comm(number % 1000 == 0 ? "java" : "python3");
  victim->mutable_memory()->set_anon_bytes(200u << 20);
  for (int level = 0; level < 4; ++level) {
    v1::CgroupLevel* cgroup = oom->add_cgroups();
    cgroup->set_path(fmt::format("/kubepods/burstable/pod{}/worker{}", number, level));
    cgroup->set_usage_bytes(200u << 20);
    cgroup->set_max_bytes(200u << 20);
  }
  for (uint32_t i = 0; i < 10; ++i) {
    v1::MemoryUser* user = oom->add_top_users();
    user->set_tgid(i + 1);
    user->set_comm("python3");
    user->mutable_memory()->set_anon_bytes(20u << 20);
  }
  return event;
}

// The report of a node with thirty containers.
inline v1::NodeReport BenchReport(const v1::NodeIdentity& node) {
  v1::NodeReport report;
  *report.mutable_node() = node;
  report.mutable_coverage()->set_state(v1::Coverage::STATE_COMPLETE);
  for (uint64_t i = 0; i < 30; ++i) {
    v1::ContainerReport* container = report.add_containers();
    container->set_cgroup_id(i + 1);
    container->set_cgroup_path(fmt::format("/kubepods/burstable/pod{:032}/cri-{:064}", i, i));
    container->set_usage_bytes(100u << 20);
    container->set_limit_bytes(200u << 20);
  }
  return report;
}

}  // namespace oombox
