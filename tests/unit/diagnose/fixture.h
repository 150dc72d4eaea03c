#pragma once

#include "agent/diagnose/diagnose.h"

namespace oombox {

inline constexpr uint64_t kMib = 1u << 20;

// A kill in a container: limit 200 MiB, python3[31] holds 182 of 196 MiB, everything read at the
// kill.
inline v1::Event ContainerKill() {
  v1::Event event;
  event.set_revision(3);
  v1::OomEvent* oom = event.mutable_oom();
  oom->set_scope(v1::OOM_SCOPE_CONTAINER);
  oom->mutable_quality()->set_provenance(v1::PROVENANCE_AT_KILL);
  oom->set_victims_total(1);

  v1::LimitHit* hit = oom->mutable_limit_hit();
  hit->set_cgroup_path("/kubepods/pod1/worker");
  hit->set_limit_bytes(200 * kMib);
  hit->set_usage_bytes(200 * kMib);
  hit->set_level(0);
  hit->set_provenance(v1::PROVENANCE_AT_KILL);

  v1::Victim* victim = oom->add_victims();
  victim->set_tgid(31);
  victim->set_comm("python3");
  victim->set_start_boottime_ns(7);
  victim->mutable_memory()->set_anon_bytes(180 * kMib);
  victim->mutable_memory()->set_file_bytes(2 * kMib);
  victim->set_rank(1);
  v1::MemoryUser* user = oom->add_top_users();
  user->set_tgid(31);
  user->set_start_boottime_ns(7);
  oom->mutable_ranking()->mutable_visited_total()->set_anon_bytes(196 * kMib);

  oom->mutable_trigger()->set_tgid(31);
  oom->mutable_trigger()->set_comm("python3");
  for (const char* path : {"/kubepods/pod1/worker", "/kubepods/pod1"}) {
    oom->add_cgroups()->set_path(path);
  }
  return event;
}

inline v1::Diagnosis Diagnose(const v1::Event& event) { return Diagnose(event, WorkloadHistory{}); }

}  // namespace oombox
