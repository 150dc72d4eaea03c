#include "agent/event/case_book.h"

#include <algorithm>

#include "agent/event/event_id.h"

namespace oombox {

Result<std::optional<v1::Event>> CaseBook::Add(const KillRecord& record,
                                               const EventContext& context,
                                               uint64_t now_boottime_ns) {
  const std::string id =
      KillEventId(context.boot_id, record.episode_tgid, record.episode_start_boottime_ns);
  auto found = open_.find(id);
  if (found == open_.end()) {
    OOMBOX_TRY(std::optional<v1::Event> earlier, lookup_(id));
    if (!earlier || !earlier->has_oom()) {
      return std::optional(Begin(id, record, context, now_boottime_ns));
    }
    found = open_.emplace(id, Case{std::move(*earlier), 0}).first;
  }
  Case& open = found->second;
  open.deadline_ns = now_boottime_ns + kGroupWaitNs;
  if (!AddVictim(open.event, record, context)) {
    if (open.event.final()) {
      open_.erase(found);
    }
    return std::optional<v1::Event>();
  }
  open.event.set_final(false);
  open.event.set_revision(open.event.revision() + 1);
  return std::optional(open.event);
}

v1::Event CaseBook::Begin(const std::string& id, const KillRecord& record,
                          const EventContext& context, uint64_t now_boottime_ns) {
  v1::Event event = AssembleKill(record, context);
  event.set_final(!record.kills_group && !record.group_member);
  if (!event.final()) {
    open_.emplace(id, Case{event, now_boottime_ns + kGroupWaitNs});
  }
  return event;
}

void CaseBook::Reopen(v1::Event event, uint64_t now_boottime_ns) {
  std::string id = event.event_id();
  open_.emplace(std::move(id), Case{std::move(event), now_boottime_ns + kGroupWaitNs});
}

std::vector<v1::Event> CaseBook::Close(uint64_t now_boottime_ns) {
  std::vector<v1::Event> closed;
  for (auto it = open_.begin(); it != open_.end();) {
    if (it->second.deadline_ns > now_boottime_ns) {
      ++it;
      continue;
    }
    v1::Event& event = it->second.event;
    event.set_final(true);
    event.set_revision(event.revision() + 1);
    closed.push_back(std::move(event));
    it = open_.erase(it);
  }
  return closed;
}

std::optional<uint64_t> CaseBook::NextDeadline() const {
  std::optional<uint64_t> next;
  for (const auto& [id, open] : open_) {
    next = std::min(next.value_or(open.deadline_ns), open.deadline_ns);
  }
  return next;
}

}  // namespace oombox
