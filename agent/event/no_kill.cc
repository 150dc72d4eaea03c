#include "agent/event/no_kill.h"

#include <fmt/format.h>

#include "agent/common/text.h"
#include "agent/event/envelope.h"
#include "agent/event/event_id.h"

namespace oombox {

namespace {

v1::NoKillEvent::Kind KindOf(SignalKind kind) {
  switch (kind) {
    case SignalKind::kAlreadyDying:
      return v1::NoKillEvent::KIND_ALREADY_DYING;
    case SignalKind::kNoVictim:
      return v1::NoKillEvent::KIND_NO_VICTIM;
    case SignalKind::kInitKilled:
      return v1::NoKillEvent::KIND_INIT_KILLED;
    case SignalKind::kSharer:
    case SignalKind::kCollateral:
      break;
  }
  return v1::NoKillEvent::KIND_UNSPECIFIED;
}

v1::NoKillProcess ProcessOf(const KilledProcess& in, const std::string& cgroup_tail) {
  v1::NoKillProcess out;
  out.set_tgid(in.tgid);
  out.set_namespace_pid(in.namespace_pid);
  out.set_comm(EscapeUntrusted(in.comm));
  out.set_start_boottime_ns(in.start_boottime_ns);
  out.set_cgroup_id(in.cgroup_id);
  out.set_cgroup_tail(EscapeUntrusted(cgroup_tail));
  out.set_uid(in.uid);
  return out;
}

}  // namespace

v1::Event AssembleNoKill(const SignalRecord& record, const EventContext& context) {
  v1::Event event;
  event.set_event_id(EventIdFromName(fmt::format("no-kill/{}/{}/{}/{}", context.boot_id,
                                                 static_cast<int>(KindOf(record.kind)),
                                                 record.target.tgid, record.boottime_ns)));
  FillEnvelope(context, event);
  FillTime(record.boottime_ns, context, event);
  event.set_final(true);
  v1::NoKillEvent* body = event.mutable_no_kill();
  body->set_kind(KindOf(record.kind));
  *body->mutable_process() = ProcessOf(record.target, record.target_cgroup_tail);
  v1::NoKillProcess* sender = body->mutable_sender();
  sender->set_tgid(record.sender_tgid);
  sender->set_comm(EscapeUntrusted(record.sender_comm));
  sender->set_cgroup_id(record.sender_cgroup_id);
  sender->set_cgroup_tail(EscapeUntrusted(record.sender_cgroup_tail));
  return event;
}

}  // namespace oombox
