#include "agent/event/superseded.h"

#include <set>
#include <utility>

#include "agent/event/reconstruct.h"

namespace oombox {

void ReconstructedEvents::Add(v1::Event event) {
  if (by_tgid_.size() < kMaxEvents && event.oom().victims_size() > 0) {
    const uint32_t tgid = event.oom().victims(0).tgid();
    by_tgid_.emplace(tgid, std::move(event));
  }
}

std::vector<v1::Event> ReconstructedEvents::Supersede(const KillRecord& record,
                                                      const EventContext& context,
                                                      const std::string& real_id) {
  std::vector<v1::Event> superseded;
  for (const uint32_t id : std::set<uint32_t>{record.victim.tgid, record.victim.tid}) {
    auto [it, end] = by_tgid_.equal_range(id);
    while (it != end) {
      v1::Event& event = it->second;
      if (event.node().boot_id() != context.boot_id || !IsKillOf(event, id, record.boottime_ns)) {
        ++it;
        continue;
      }
      event.set_revision(event.revision() + 1);
      event.mutable_oom()->set_superseded_by(real_id);
      superseded.push_back(std::move(event));
      it = by_tgid_.erase(it);
    }
  }
  return superseded;
}

}  // namespace oombox
