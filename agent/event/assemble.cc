#include "agent/event/assemble.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "agent/common/text.h"
#include "agent/event/assemble_parts.h"
#include "agent/event/envelope.h"
#include "agent/event/event_id.h"
#include "agent/event/workload.h"
#include "agent/store/event_store.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

void FillQuality(const KillRecord& record, const EventContext& context, v1::OomEvent* oom) {
  auto* quality = oom->mutable_quality();
  quality->set_provenance(v1::PROVENANCE_AT_KILL);
  quality->set_record_version(record.version);
  *quality->mutable_capture_latency() =
      TimeUtil::NanosecondsToDuration(AgeNs(record.boottime_ns, context));
  AddMissing(quality, "top_allocators", "this version records no allocations");
}

// A victim beyond kMaxFullVictims: who it was, nothing more.
void MakeCompact(v1::Victim* victim) {
  victim->clear_memory();
  victim->clear_parent_comm();
  victim->clear_cmdline();
}

}  // namespace

v1::Event AssembleKill(const KillRecord& record, const EventContext& context) {
  v1::Event event;
  event.set_event_id(
      KillEventId(context.boot_id, record.episode_tgid, record.episode_start_boottime_ns));
  FillEnvelope(context, event);
  FillTime(record.boottime_ns, context, event);
  v1::OomEvent* oom = event.mutable_oom();
  FillTrigger(record, oom);
  FillQuality(record, context, oom);
  FillVictim(record, context, oom->add_victims());
  oom->set_victims_total(1);
  FillCgroups(record, context, oom);
  FillDecision(record, oom);
  FillLimitHit(record, context, oom);
  FillTopUsers(record, context, oom);
  if (oom->cgroups_size() > 0) {
    oom->set_workload(WorkloadOfCgroup(oom->cgroups(0).path()));
  }
  TrimToSize(event);
  return event;
}

bool AddVictim(v1::Event& event, const KillRecord& record, const EventContext& context) {
  v1::OomEvent* oom = event.mutable_oom();
  const bool known =
      std::any_of(oom->victims().begin(), oom->victims().end(), [&](const v1::Victim& v) {
        return v.tgid() == record.victim.tgid &&
               v.start_boottime_ns() == record.victim.start_boottime_ns;
      });
  if (known) {
    return false;
  }
  oom->set_victims_total(oom->victims_total() + 1);
  if (static_cast<size_t>(oom->victims_size()) >= kMaxListedVictims) {
    return true;
  }
  v1::Victim* victim = oom->add_victims();
  FillVictim(record, context, victim);
  if (static_cast<size_t>(oom->victims_size()) > kMaxFullVictims) {
    MakeCompact(victim);
  }
  for (v1::MemoryUser& user : *oom->mutable_top_users()) {
    if (user.tgid() == victim->tgid() && user.start_boottime_ns() == victim->start_boottime_ns()) {
      user.set_victim(true);
    }
  }
  TrimToSize(event);
  return true;
}

void TrimToSize(v1::Event& event) {
  if (event.ByteSizeLong() <= kMaxEventBytes) {
    return;
  }
  v1::OomEvent* oom = event.mutable_oom();
  const uint32_t fired = oom->limit_hit().has_level() ? oom->limit_hit().level() : 0;
  for (int i = 1; i < oom->cgroups_size(); ++i) {
    if (static_cast<uint32_t>(i) != fired) {
      oom->mutable_cgroups(i)->clear_path();
    }
  }
  AddMissing(oom->mutable_quality(), "cgroups.path", "cut: the event would have been too big");
  constexpr int kKeep = static_cast<int>(kMaxFullVictims);
  if (event.ByteSizeLong() > kMaxEventBytes && oom->victims_size() > kKeep) {
    oom->mutable_victims()->DeleteSubrange(kKeep, oom->victims_size() - kKeep);
    AddMissing(oom->mutable_quality(), "victims", "cut: the event would have been too big");
  }
}

}  // namespace oombox
