#include "agent/event/assemble_parts.h"

#include <algorithm>

#include "agent/common/text.h"

namespace oombox {

namespace {

// percpu_counter_batch = max(32, 2 * online CPUs) (lib/percpu_counter.c): each CPU may hold back
// that many.
uint64_t ErrorBoundBytes(const EventContext& context) {
  const uint64_t cpus = context.possible_cpus;
  return std::max<uint64_t>(32, 2 * cpus) * cpus * context.page_size;
}

// "/a/b" for each level, from the names of its ancestors; absent when a name on the way was cut.
std::vector<std::optional<std::string>> Paths(const KillRecord& record) {
  std::vector<std::optional<std::string>> paths(record.levels.size());
  std::optional<std::string> path =
      record.levels_cut ? std::nullopt : std::optional<std::string>("");
  for (size_t i = record.levels.size(); i-- > 0;) {
    const auto& name = record.levels[i].name;
    if (!name) {
      path.reset();
    } else if (path && !name->empty()) {
      *path += "/" + EscapeUntrusted(*name);
    }
    paths[i] = path && path->empty() ? std::optional<std::string>("/") : path;
  }
  return paths;
}

// oom_badness() (mm/oom_kill.c), in pages; absent for a process the kernel never kills.
std::optional<int64_t> BadnessPages(const KilledProcess& process, const KillRecord& record,
                                    const EventContext& context) {
  constexpr int32_t kNever = -1000;
  if (!record.decision || !process.memory || process.oom_score_adj == kNever) {
    return std::nullopt;
  }
  const uint64_t held = process.memory->resident_and_swapped() +
                        process.memory->page_tables_bytes / context.page_size;
  return static_cast<int64_t>(held) + static_cast<int64_t>(process.oom_score_adj) *
                                          static_cast<int64_t>(record.decision->total_pages / 1000);
}

void FillUser(const KilledProcess& process, const KillRecord& record, const EventContext& context,
              v1::MemoryUser* out) {
  out->set_tgid(process.tgid);
  out->set_namespace_pid(process.namespace_pid);
  out->set_comm(EscapeUntrusted(process.comm));
  out->set_uid(process.uid);
  out->set_start_boottime_ns(process.start_boottime_ns);
  out->set_oom_score_adj(process.oom_score_adj);
  out->set_cgroup_id(process.cgroup_id);
  out->set_victim(process.tgid == record.victim.tgid &&
                  process.start_boottime_ns == record.victim.start_boottime_ns);
  out->set_exe(EscapeUntrusted(process.exe));
  out->set_container_init(process.container_init());
  if (process.threads) {
    out->set_threads(*process.threads);
  }
  if (const auto badness = BadnessPages(process, record, context)) {
    out->set_badness_pages(*badness);
  }
  if (process.memory) {
    FillProcessMemory(process, record, context, out->mutable_memory());
  }
}

// cgroup v1 only.
void FillKernelLimits(const CgroupPages& level, uint64_t page, v1::CgroupLevel* out) {
  out->set_oom_kill_disabled(level.oom_kill_disabled);
  if (level.kmem_usage) {
    out->set_kmem_usage_bytes(*level.kmem_usage * page);
  }
  if (level.kmem_max) {
    out->set_kmem_max_bytes(*level.kmem_max * page);
  }
  if (level.tcp_usage) {
    out->set_tcp_usage_bytes(*level.tcp_usage * page);
  }
  if (level.tcp_max) {
    out->set_tcp_max_bytes(*level.tcp_max * page);
  }
}

void FillEvents(const CgroupEvents& events, v1::MemoryEvents* out) {
  out->set_low(events.low);
  out->set_high(events.high);
  out->set_max(events.max);
  out->set_oom(events.oom);
  out->set_oom_kill(events.oom_kill);
  if (events.oom_group_kill) {
    out->set_oom_group_kill(*events.oom_group_kill);
  }
}

void FillLimits(const CgroupPages& level, const KillRecord& record, uint64_t page,
                v1::CgroupLevel* out) {
  if (level.max) {
    out->set_max_bytes(*level.max * page);
  }
  if (!record.cgroup_v1) {  // v1 has none of these
    if (level.high) {
      out->set_high_bytes(*level.high * page);
    }
    out->set_low_bytes(level.low * page);
    out->set_min_bytes(level.min * page);
    out->set_swap_usage_bytes(level.swap_usage * page);
    if (level.swap_max) {
      out->set_swap_max_bytes(*level.swap_max * page);
    }
    if (level.zswap_usage_bytes) {
      out->set_zswap_usage_bytes(*level.zswap_usage_bytes);
    }
    if (level.zswap_max) {
      out->set_zswap_max_bytes(*level.zswap_max * page);
    }
  } else {
    FillKernelLimits(level, page, out);
    out->set_memsw_usage_bytes(level.swap_usage * page);
    if (level.swap_max) {
      out->set_memsw_max_bytes(*level.swap_max * page);
    }
  }
}

}  // namespace

void AddMissing(v1::CaptureQuality* quality, std::string field, std::string reason) {
  auto* missing = quality->add_missing();
  missing->set_field(std::move(field));
  missing->set_reason(std::move(reason));
}

void FillMemory(const ProcessPages& pages, const KillRecord& record, const EventContext& context,
                v1::ProcessMemory* out) {
  const uint64_t page = context.page_size;
  out->set_anon_bytes(pages.anon * page);
  out->set_file_bytes(pages.file * page);
  out->set_shmem_bytes(pages.shmem * page);
  out->set_swap_bytes(pages.swap * page);
  out->set_page_tables_bytes(pages.page_tables_bytes);
  out->set_total_vm_bytes(pages.total_vm * page);
  out->set_error_bound_bytes(record.rss_per_cpu ? ErrorBoundBytes(context) : 0);
}

void FillProcessMemory(const KilledProcess& process, const KillRecord& record,
                       const EventContext& context, v1::ProcessMemory* out) {
  FillMemory(*process.memory, record, context, out);
  if (!record.rss_per_cpu && process.threads) {
    // Before Linux 6.2 each thread holds back up to TASK_RSS_EVENTS_THRESH (64) pages.
    out->set_error_bound_bytes(uint64_t{64} * *process.threads * context.page_size);
  }
  if (process.exact) {
    auto* exact = out->mutable_exact();
    exact->set_anon_bytes(process.exact->anon * context.page_size);
    exact->set_file_bytes(process.exact->file * context.page_size);
    exact->set_shmem_bytes(process.exact->shmem * context.page_size);
    exact->set_swap_bytes(process.exact->swap * context.page_size);
  }
}

void FillVictim(const KillRecord& record, const EventContext& context, v1::Victim* out) {
  const KilledProcess& victim = record.victim;
  out->set_tgid(victim.tgid);
  out->set_tid(victim.tid);
  out->set_namespace_pid(victim.namespace_pid);
  out->set_parent_tgid(record.parent_tgid);
  out->set_parent_comm(EscapeUntrusted(record.parent_comm));
  out->set_comm(EscapeUntrusted(victim.comm));
  out->set_uid(victim.uid);
  out->set_start_boottime_ns(victim.start_boottime_ns);
  out->set_oom_score_adj(victim.oom_score_adj);
  out->set_cgroup_id(victim.cgroup_id);
  out->set_killed_boottime_ns(record.boottime_ns);
  out->set_role(record.group_member ? v1::VICTIM_ROLE_GROUP_MEMBER : v1::VICTIM_ROLE_CHOSEN);
  out->set_exe(EscapeUntrusted(victim.exe));
  out->set_container_init(victim.container_init());
  if (victim.threads) {
    out->set_threads(*victim.threads);
  }
  if (record.decision && !record.group_member) {
    out->set_badness_pages(record.decision->badness_pages);
  }
  if (victim.memory) {
    FillProcessMemory(victim, record, context, out->mutable_memory());
  }
  for (const ParentProcess& parent : record.parents) {
    v1::ParentProcess* to = out->add_parents();
    to->set_tgid(parent.tgid);
    to->set_namespace_pid(parent.namespace_pid);
    to->set_comm(EscapeUntrusted(parent.comm));
    to->set_start_boottime_ns(parent.start_boottime_ns);
    to->set_container_init(parent.container_init());
  }
}

void FillCgroups(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  const auto paths = Paths(record);
  for (size_t i = 0; i < record.levels.size(); ++i) {
    const CgroupPages& level = record.levels[i];
    auto* to = out->add_cgroups();
    to->set_id(level.id);
    to->set_path(paths[i].value_or(""));
    to->set_usage_bytes(level.usage * context.page_size);
    to->set_oom_group(level.oom_group);
    FillLimits(level, record, context.page_size, to);
    if (level.events) {
      FillEvents(*level.events, to->mutable_events());
    }
    if (level.local_events) {
      FillEvents(*level.local_events, to->mutable_local_events());
    }
  }
  FillStats(record, context, out);
  if (!record.memcg_known) {
    AddMissing(out->mutable_quality(), "cgroups", "the victim's memory cgroup could not be read");
  } else if (std::any_of(paths.begin(), paths.end(), [](const auto& p) { return !p; })) {
    AddMissing(out->mutable_quality(), "cgroups.path",
               "the cgroup is nested too deeply or its names are too long for the record");
  }
}

void FillTopUsers(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  if (!record.ranked) {
    AddMissing(
        out->mutable_quality(), "top_users",
        record.group_member  ? "ranked at the first victim of the group, which was not captured"
        : record.rank_braked ? "ranking was over its time budget in this second (rank-budget-us)"
        : record.memcg_known ? "this kernel has no bpf_loop (Linux 5.17 or newer is needed)"
                             : "the victim's memory cgroup could not be read");
    return;
  }
  for (const KilledProcess& user : record.users) {
    FillUser(user, record, context, out->add_top_users());
  }
  for (int i = 0; i < out->top_users_size(); ++i) {
    if (out->top_users(i).victim() && out->victims_size() > 0) {
      out->mutable_victims(0)->set_rank(static_cast<uint32_t>(i) + 1);
    }
  }
  if (record.sums_cut) {
    AddMissing(out->mutable_quality(), "top_users.memory.exact",
               "summing what every CPU holds back was over its time");
  }
  auto* ranking = out->mutable_ranking();
  ranking->set_threads_visited(record.walk_threads);
  ranking->set_processes_visited(record.walk_processes);
  ranking->set_truncated(record.rank_cut);
  FillMemory(record.walk_total, record, context, ranking->mutable_visited_total());
  ranking->mutable_visited_total()->clear_total_vm_bytes();
  const bool root = !record.levels_cut && !record.levels.empty() &&
                    record.walked_cgroup_id == record.levels.back().id;
  if (record.walked_cgroup_id && !root) {  // else every process of the node
    ranking->set_cgroup_id(*record.walked_cgroup_id);
  } else if (record.fired_level) {  // a record of version 1 names no other
    ranking->set_cgroup_id(record.levels[*record.fired_level].id);
  }
}

}  // namespace oombox
