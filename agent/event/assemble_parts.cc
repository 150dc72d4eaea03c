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
  if (process.memory) {
    FillMemory(*process.memory, record, context, out->mutable_memory());
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
  } else {
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
  if (victim.memory) {
    FillMemory(*victim.memory, record, context, out->mutable_memory());
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
  }
  if (!record.memcg_known) {
    AddMissing(out->mutable_quality(), "cgroups", "the victim's memory cgroup could not be read");
  } else if (std::any_of(paths.begin(), paths.end(), [](const auto& p) { return !p; })) {
    AddMissing(out->mutable_quality(), "cgroups.path",
               "the cgroup is nested too deeply or its names are too long for the record");
  }
}

namespace {

constexpr uint64_t kSlackPages = 64;  // as FULL_SLACK_PAGES in bpf/lib/memcg.h

// cgroup v1 only: the level whose limit on memory and swap together was reached.
std::optional<uint32_t> FullWithSwap(const KillRecord& record) {
  for (uint32_t i = 0; record.cgroup_v1 && i < record.levels.size(); ++i) {
    const CgroupPages& level = record.levels[i];
    if (level.swap_max && level.swap_usage + kSlackPages >= *level.swap_max) {
      return i;
    }
  }
  return std::nullopt;
}

// A level that is so full that it may have fired and been drained a little since.
bool AnyNearlyFull(const KillRecord& record) {
  return std::any_of(record.levels.begin(), record.levels.end(), [](const CgroupPages& level) {
    return level.max && level.usage >= *level.max - *level.max / 20;
  });
}

// Why the limit cannot be concluded; absent when it can.
std::optional<std::string> WhyUnclear(const KillRecord& record) {
  if (record.fired_level) {
    return record.trigger_outside ? std::optional<std::string>(
                                        "a cgroup of the victim was full, but the trigger is "
                                        "elsewhere: it may be chance")
                                  : std::nullopt;
  }
  if (!record.memcg_known || record.levels_cut) {
    return "not all of the victim's cgroups are known";
  }
  if (AnyNearlyFull(record)) {
    return "a cgroup of the victim was nearly full, none quite: it may have been that or the node";
  }
  return std::nullopt;
}

}  // namespace

void FillLimitHit(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  const uint64_t page = context.page_size;
  const auto with_swap = record.fired_level ? std::nullopt : FullWithSwap(record);
  if (const auto unclear = WhyUnclear(record); unclear && !with_swap) {
    AddMissing(out->mutable_quality(), "limit_hit", *unclear);
    return;
  }
  auto* hit = out->mutable_limit_hit();
  hit->set_provenance(v1::PROVENANCE_INFERRED);
  const auto fired = with_swap ? with_swap : record.fired_level;
  if (!fired) {
    out->set_scope(v1::OOM_SCOPE_NODE);
    if (context.memory_total_bytes != 0) {
      hit->set_limit_bytes(context.memory_total_bytes);
    }
    return;
  }
  const CgroupPages& level = record.levels[*fired];
  out->set_scope(v1::OOM_SCOPE_CGROUP);
  hit->set_level(*fired);
  hit->set_cgroup_id(level.id);
  hit->set_cgroup_path(out->cgroups(static_cast<int>(*fired)).path());
  hit->set_usage_bytes((with_swap ? level.swap_usage : level.usage) * page);
  if (const auto limit = with_swap ? level.swap_max : level.max) {
    hit->set_limit_bytes(*limit * page);
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
  auto* ranking = out->mutable_ranking();
  ranking->set_threads_visited(record.walk_threads);
  ranking->set_processes_visited(record.walk_processes);
  ranking->set_truncated(record.rank_cut);
  FillMemory(record.walk_total, record, context, ranking->mutable_visited_total());
  ranking->mutable_visited_total()->clear_total_vm_bytes();
  if (record.fired_level) {
    ranking->set_cgroup_id(record.levels[*record.fired_level].id);
  }
}

}  // namespace oombox
