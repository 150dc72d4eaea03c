#include "agent/common/text.h"
#include "agent/event/assemble_parts.h"

namespace oombox {

void FillTrigger(const KillRecord& record, v1::OomEvent* out) {
  v1::Trigger* trigger = out->mutable_trigger();
  trigger->set_tgid(record.trigger_tgid);
  trigger->set_tid(record.trigger_tid);
  trigger->set_comm(EscapeUntrusted(record.trigger_comm));
  if (record.trigger_cgroup_id != 0) {
    trigger->set_cgroup_id(record.trigger_cgroup_id);
  }
  for (const uint64_t address : record.stack) {
    trigger->add_kernel_stack()->set_address(address);
  }
  if (record.decision && record.decision->order == -1) {
    trigger->set_activity(v1::Trigger::ACTIVITY_SYSRQ);
  }
}

}  // namespace oombox
