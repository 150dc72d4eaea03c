#include <algorithm>
#include <optional>
#include <string>

#include "agent/event/assemble_parts.h"
#include "agent/event/gfp.h"

namespace oombox {

namespace {

constexpr uint64_t kSlackPages = 64;  // as FULL_SLACK_PAGES in bpf/lib/memcg.h

enum Constraint : uint32_t { kNone, kCpuset, kMemoryPolicy, kMemcg };  // enum oom_constraint

bool IsFull(uint64_t usage, const std::optional<uint64_t>& max) {
  return max && usage + kSlackPages >= *max;
}

// cgroup v1 only: the limit on memory and swap together is the one that was reached.
bool IsFullWithSwap(const KillRecord& record, const CgroupPages& level) {
  return record.cgroup_v1 && !IsFull(level.usage, level.max) &&
         IsFull(level.swap_usage, level.swap_max);
}

std::optional<uint32_t> FullWithSwap(const KillRecord& record) {
  for (uint32_t i = 0; i < record.levels.size(); ++i) {
    if (IsFullWithSwap(record, record.levels[i])) {
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
  if (record.inferred_level) {
    return record.trigger_outside ? std::optional<std::string>(
                                        "a cgroup of the victim was full, but the trigger is "
                                        "elsewhere: it may be chance")
                                  : std::nullopt;
  }
  if (!record.memcg_known || record.levels_cut || record.levels.empty()) {
    return "not all of the victim's cgroups are known";
  }
  if (AnyNearlyFull(record)) {
    return "a cgroup of the victim was nearly full, none quite: it may have been that or the node";
  }
  return std::nullopt;
}

void FillNode(const EventContext& context, v1::OomEvent* out) {
  out->set_scope(v1::OOM_SCOPE_NODE);
  if (context.memory_total_bytes != 0) {
    out->mutable_limit_hit()->set_limit_bytes(context.memory_total_bytes);
  }
}

void FillLevel(const KillRecord& record, uint32_t fired, bool with_swap, uint64_t page,
               v1::OomEvent* out) {
  const CgroupPages& level = record.levels[fired];
  auto* hit = out->mutable_limit_hit();
  out->set_scope(v1::OOM_SCOPE_CGROUP);
  hit->set_level(fired);
  hit->set_cgroup_id(level.id);
  hit->set_cgroup_path(out->cgroups(static_cast<int>(fired)).path());
  hit->set_usage_bytes((with_swap ? level.swap_usage : level.usage) * page);
  if (const auto limit = with_swap ? level.swap_max : level.max) {
    hit->set_limit_bytes(*limit * page);
  }
}

void FillDecided(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  const KillDecision& decision = *record.decision;
  auto* hit = out->mutable_limit_hit();
  hit->set_provenance(v1::PROVENANCE_AT_KILL);
  if (decision.constraint != kMemcg) {
    FillNode(context, out);
    if (decision.constraint != kNone) {  // some of its NUMA nodes
      hit->clear_limit_bytes();
    }
    return;
  }
  if (record.fired_level) {
    const bool with_swap = IsFullWithSwap(record, record.levels[*record.fired_level]);
    FillLevel(record, *record.fired_level, with_swap, context.page_size, out);
    return;
  }
  out->set_scope(v1::OOM_SCOPE_CGROUP);
  hit->set_cgroup_id(decision.cgroup_id);
  AddMissing(out->mutable_quality(), "limit_hit.cgroup_path",
             "the cgroup that fired is further up than the levels that are recorded");
}

void FillInferred(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  const auto with_swap = record.inferred_level ? std::nullopt : FullWithSwap(record);
  if (const auto unclear = WhyUnclear(record); unclear && !with_swap) {
    AddMissing(out->mutable_quality(), "limit_hit", *unclear);
    return;
  }
  out->mutable_limit_hit()->set_provenance(v1::PROVENANCE_INFERRED);
  if (const auto fired = with_swap ? with_swap : record.inferred_level) {
    FillLevel(record, *fired, with_swap.has_value(), context.page_size, out);
  } else {
    FillNode(context, out);
  }
}

v1::OomDecision::Constraint ToProto(uint32_t constraint) {
  switch (constraint) {
    case kCpuset:
      return v1::OomDecision::CONSTRAINT_CPUSET;
    case kMemoryPolicy:
      return v1::OomDecision::CONSTRAINT_MEMORY_POLICY;
    case kMemcg:
      return v1::OomDecision::CONSTRAINT_MEMCG;
    default:
      return v1::OomDecision::CONSTRAINT_NONE;
  }
}

}  // namespace

void FillLimitHit(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  if (record.decision) {
    FillDecided(record, context, out);
  } else {
    FillInferred(record, context, out);
  }
}

void FillDecision(const KillRecord& record, v1::OomEvent* out) {
  if (!record.decision) {
    AddMissing(out->mutable_quality(), "decision",
               record.version < 2    ? "recorded by an older version, which did not look for it"
               : record.group_member ? "taken at the first victim of the group, which was not "
                                       "captured"
                                     : "struct oom_control was not found on the kernel stack");
    return;
  }
  auto* decision = out->mutable_decision();
  decision->set_source(v1::OomDecision::SOURCE_KERNEL_STACK);
  decision->set_constraint(ToProto(record.decision->constraint));
  decision->set_gfp_mask(record.decision->gfp_mask);
  decision->set_gfp_flags(GfpFlags(record.decision->gfp_mask));
  decision->set_order(record.decision->order);
  decision->set_allowed_pages(record.decision->total_pages);
  if (record.inferred_level && record.inferred_level != record.fired_level) {
    decision->set_inferred_level(*record.inferred_level);
  }
}

}  // namespace oombox
