#include "agent/event/reconstruct.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>

#include "agent/common/text.h"
#include "agent/event/assemble_parts.h"
#include "agent/event/envelope.h"
#include "agent/event/event_id.h"
#include "agent/event/workload.h"

namespace oombox {

namespace {

using Constraint = LoggedKill::Constraint;
using google::protobuf::util::TimeUtil;

constexpr int64_t kSecondNs = 1'000'000'000;
// The log's clock drifts: as LogClockErrorNs in agent/capture/kernel_log.h.
constexpr uint64_t kDriftDivisor = 10'000;
constexpr size_t kMaxLevels = 16;
// Wall clocks step, and the events' time is of the clock at their commit.
constexpr int64_t kClockStepNs = 600 * kSecondNs;
constexpr size_t kPage = 200;
constexpr size_t kMaxCompared = 100'000;
constexpr const char* kNotInLog = "the kernel log does not say";
constexpr const char* kNoReport =
    "the kernel log holds no readable report of the kill: the kernel prints ten in 5 s at most";

int64_t WallOf(uint64_t boottime_ns, const EventContext& context) {
  return context.committed_wall_ns +
         (static_cast<int64_t>(boottime_ns) - static_cast<int64_t>(context.committed_boottime_ns));
}

void FillLoggedVictim(const LoggedKill& kill, v1::Victim* victim) {
  victim->set_tgid(kill.tgid);
  victim->set_tid(kill.tgid);
  victim->set_comm(EscapeUntrusted(kill.comm));
  victim->set_killed_boottime_ns(kill.boottime_ns);
  victim->set_role(kill.group_member ? v1::VICTIM_ROLE_GROUP_MEMBER : v1::VICTIM_ROLE_CHOSEN);
  if (kill.uid) {
    victim->set_uid(*kill.uid);
  }
  if (kill.oom_score_adj) {
    victim->set_oom_score_adj(*kill.oom_score_adj);
  }
  v1::ProcessMemory* memory = victim->mutable_memory();
  if (kill.total_vm_bytes) {
    memory->set_total_vm_bytes(*kill.total_vm_bytes);
  }
  if (kill.anon_bytes) {
    memory->set_anon_bytes(*kill.anon_bytes);
  }
  if (kill.file_bytes) {
    memory->set_file_bytes(*kill.file_bytes);
  }
  if (kill.shmem_bytes) {
    memory->set_shmem_bytes(*kill.shmem_bytes);
  }
  if (kill.page_tables_bytes) {
    memory->set_page_tables_bytes(*kill.page_tables_bytes);
  }
}

// The victim's cgroup and its ancestors: names only.
void FillPaths(const LoggedKill& kill, v1::OomEvent* oom) {
  if (!kill.victim_cgroup) {
    AddMissing(oom->mutable_quality(), "cgroups", kNoReport);
    return;
  }
  std::string_view path = *kill.victim_cgroup;
  while (static_cast<size_t>(oom->cgroups_size()) < kMaxLevels) {
    oom->add_cgroups()->set_path(EscapeUntrusted(path));
    if (path == "/") {
      AddMissing(oom->mutable_quality(), "cgroups.usage_bytes", kNotInLog);
      return;
    }
    const size_t slash = path.rfind('/');
    path = slash == 0 || slash == std::string_view::npos ? "/" : path.substr(0, slash);
  }
  AddMissing(oom->mutable_quality(), "cgroups", "the cgroup is nested too deeply");
}

void FillCgroupLimit(const LoggedKill& kill, v1::OomEvent* oom) {
  oom->set_scope(v1::OOM_SCOPE_CGROUP);
  if (!kill.fired_cgroup) {
    AddMissing(oom->mutable_quality(), "limit_hit", kNoReport);
    return;
  }
  v1::LimitHit* hit = oom->mutable_limit_hit();
  hit->set_provenance(v1::PROVENANCE_RECONSTRUCTED);
  hit->set_cgroup_path(EscapeUntrusted(*kill.fired_cgroup));
  // An unlimited cgroup fires for its memory.memsw limit (v1), of which this is not the number.
  if (kill.limit_bytes && kill.usage_bytes && *kill.limit_bytes <= uint64_t{1} << 60) {
    hit->set_usage_bytes(*kill.usage_bytes);
    hit->set_limit_bytes(*kill.limit_bytes);
  }
  for (int i = 0; i < oom->cgroups_size(); ++i) {
    if (oom->cgroups(i).path() == hit->cgroup_path()) {
      hit->set_level(static_cast<uint32_t>(i));
      if (hit->has_limit_bytes()) {
        oom->mutable_cgroups(i)->set_usage_bytes(hit->usage_bytes());
        oom->mutable_cgroups(i)->set_max_bytes(hit->limit_bytes());
      }
    }
  }
}

void FillLimit(const LoggedKill& kill, const EventContext& context, v1::OomEvent* oom) {
  if (kill.cgroup_limit) {
    FillCgroupLimit(kill, oom);
  } else if (kill.constraint == Constraint::kNone) {
    oom->set_scope(v1::OOM_SCOPE_NODE);
    v1::LimitHit* hit = oom->mutable_limit_hit();
    hit->set_provenance(v1::PROVENANCE_RECONSTRUCTED);
    if (context.memory_total_bytes != 0) {
      hit->set_limit_bytes(context.memory_total_bytes);
    }
  } else {
    AddMissing(oom->mutable_quality(), "limit_hit",
               kill.constraint == Constraint::kCpuset ? "the memory nodes of a cpuset ran out"
               : kill.constraint ? "the memory nodes of a memory policy ran out"
                                 : "no cgroup's limit; whether the whole machine ran out is not "
                                   "known: the kernel log holds no report");
  }
}

void AddWhatTheLogLacks(v1::CaptureQuality* quality) {
  for (const char* field :
       {"top_users", "trigger", "victims.memory.swap_bytes", "victims.start_boottime_ns",
        "victims.namespace_pid", "top_allocators", "curve"}) {
    AddMissing(quality, field, kNotInLog);
  }
}

// Near enough for the same kill: 2 s and what the log's clock may be off.
bool IsNear(uint64_t a_ns, uint64_t b_ns) {
  const uint64_t distance = a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
  return distance <= 2 * static_cast<uint64_t>(kSecondNs) + std::max(a_ns, b_ns) / kDriftDivisor;
}

// A group kill of more victims than are listed.
bool IsUnlistedIn(const v1::Event& event, const LoggedKill& kill) {
  return event.oom().victims_total() > static_cast<uint32_t>(event.oom().victims_size()) &&
         IsNear(event.boottime_ns(), kill.boottime_ns);
}

}  // namespace

v1::Event AssembleReconstructed(const LoggedKill& kill, const EventContext& context) {
  v1::Event event;
  event.set_event_id(EventIdFromName(
      fmt::format("reconstructed/{}/{}/{}", context.boot_id, kill.tgid, kill.log_time_us)));
  FillEnvelope(context, event);
  event.set_final(true);
  event.set_boottime_ns(kill.boottime_ns);
  *event.mutable_event_time() = TimeUtil::NanosecondsToTimestamp(WallOf(kill.boottime_ns, context));
  v1::OomEvent* oom = event.mutable_oom();
  oom->mutable_quality()->set_provenance(v1::PROVENANCE_RECONSTRUCTED);
  FillLoggedVictim(kill, oom->add_victims());
  oom->set_victims_total(1);
  FillPaths(kill, oom);
  FillLimit(kill, context, oom);
  AddWhatTheLogLacks(oom->mutable_quality());
  if (oom->cgroups_size() > 0) {
    oom->set_workload(WorkloadOfCgroup(oom->cgroups(0).path()));
  }
  TrimToSize(event);
  return event;
}

bool IsKillOf(const v1::Event& event, uint32_t tgid, uint64_t boottime_ns) {
  return std::any_of(event.oom().victims().begin(), event.oom().victims().end(),
                     [&](const v1::Victim& victim) {
                       const uint64_t killed_ns = victim.killed_boottime_ns();
                       // The log names a thread where the leader had exited.
                       return (victim.tgid() == tgid || victim.tid() == tgid) &&
                              IsNear(killed_ns != 0 ? killed_ns : event.boottime_ns(), boottime_ns);
                     });
}

bool IsReconstructed(const v1::Event& event) {
  return event.has_oom() && event.oom().superseded_by().empty() &&
         event.oom().quality().provenance() == v1::PROVENANCE_RECONSTRUCTED;
}

Result<std::vector<LoggedKill>> NotInStore(std::vector<LoggedKill> logged,
                                           const EventContext& context, EventStore& store) {
  if (logged.empty()) {
    return logged;
  }
  const auto [first, last] = std::minmax_element(
      logged.begin(), logged.end(),
      [](const LoggedKill& a, const LoggedKill& b) { return a.boottime_ns < b.boottime_ns; });
  const auto drift = static_cast<int64_t>(last->boottime_ns / kDriftDivisor);
  const int64_t from_ns = WallOf(first->boottime_ns, context) - kClockStepNs - drift;
  OOMBOX_TRY(Filter filter, Filter::Parse(fmt::format(
                                "kind = oom AND time >= \"{}\"",
                                TimeUtil::ToString(TimeUtil::NanosecondsToTimestamp(from_ns)))));
  ListQuery query{.filter = std::move(filter), .view = v1::EVENT_VIEW_FULL, .limit = kPage};
  query.before_time_ns = WallOf(last->boottime_ns, context) + kClockStepNs + drift;
  for (size_t compared = 0; compared < kMaxCompared && !logged.empty();) {
    OOMBOX_TRY(const auto page, store.List(query));
    if (page.empty()) {
      break;
    }
    for (const StoredEvent& stored : page) {
      if (stored.event.node().boot_id() == context.boot_id) {
        std::erase_if(logged, [&](const LoggedKill& kill) {
          return IsKillOf(stored.event, kill.tgid, kill.boottime_ns) ||
                 (kill.group_member && IsUnlistedIn(stored.event, kill));
        });
      }
    }
    compared += page.size();
    query.before_time_ns = AttributesOf(page.back().event).time_ns;
    query.before_seq = page.back().seq;
  }
  return logged;
}

}  // namespace oombox
