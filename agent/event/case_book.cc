#include "agent/event/case_book.h"

#include <algorithm>

#include "agent/common/text.h"
#include "agent/event/event_id.h"
#include "agent/event/kernel_stack.h"
#include "agent/event/no_kill.h"
#include "agent/event/related.h"

namespace oombox {

namespace {

bool IsGroup(const v1::OomEvent& oom) {
  return oom.victims_total() > 1 ||
         std::any_of(oom.cgroups().begin(), oom.cgroups().end(),
                     [](const v1::CgroupLevel& level) { return level.oom_group(); });
}

}  // namespace

// One victim, and what it was started as.
bool CaseBook::IsComplete(const v1::Event& event) const {
  const v1::OomEvent& oom = event.oom();
  return !IsGroup(oom) && oom.victims_size() == 1 && !oom.victims(0).cmdline().empty() &&
         !(CanName(event) && NeedsSymbols(oom));
}

Result<CaseBook::Case*> CaseBook::Find(const std::string& id) {
  const auto found = open_.find(id);
  if (found != open_.end()) {
    return &found->second;
  }
  OOMBOX_TRY(std::optional<v1::Event> earlier, lookup_(id));
  if (!earlier || !earlier->has_oom()) {
    return nullptr;
  }
  return &open_.emplace(id, Case{std::move(*earlier), 0}).first->second;
}

std::optional<v1::Event> CaseBook::Revise(Case& open, bool changed, uint64_t now_boottime_ns) {
  open.deadline_ns = now_boottime_ns + kWaitNs;
  return NextRevision(open, changed);
}

std::optional<v1::Event> CaseBook::NextRevision(Case& open, bool changed) const {
  if (!changed) {
    return std::nullopt;
  }
  TrimToSize(open.event);
  open.event.set_final(IsComplete(open.event));
  open.event.set_revision(open.event.revision() + 1);
  return open.event;
}

Result<std::optional<v1::Event>> CaseBook::Add(const KillRecord& record,
                                               const EventContext& context,
                                               uint64_t now_boottime_ns) {
  const std::string id =
      KillEventId(context.boot_id, record.episode_tgid, record.episode_start_boottime_ns);
  OOMBOX_TRY(Case* const open, Find(id));
  if (open == nullptr) {
    return std::optional(Begin(id, record, context, now_boottime_ns));
  }
  const bool added = AddVictim(open->event, record, context);
  return Revise(*open, TakeEarly(id, open->event) || added, now_boottime_ns);
}

Result<std::optional<v1::Event>> CaseBook::Add(const SignalRecord& record,
                                               const EventContext& context,
                                               uint64_t now_boottime_ns) {
  if (record.kind != SignalKind::kSharer && record.kind != SignalKind::kCollateral) {
    if (IsSaidAlready(record)) {
      return std::optional<v1::Event>();
    }
    if (!Spend(record.kind == SignalKind::kNoVictim ? no_victims_ : no_kills_,
               record.boottime_ns)) {
      ++no_kills_skipped_;
      return std::optional<v1::Event>();
    }
    return std::optional(AssembleNoKill(record, context));
  }
  OOMBOX_TRY(Case* const open, Find(KillEventId(context.boot_id, record.episode_tgid,
                                                record.episode_start_boottime_ns)));
  if (open == nullptr) {
    return std::optional<v1::Event>();
  }
  return Revise(*open, AddRelated(open->event, record), now_boottime_ns);
}

Result<std::optional<v1::Event>> CaseBook::Add(const CmdlineRecord& record,
                                               const EventContext& context,
                                               uint64_t now_boottime_ns) {
  const std::string id =
      KillEventId(context.boot_id, record.episode_tgid, record.episode_start_boottime_ns);
  OOMBOX_TRY(Case* const open, Find(id));
  if (open == nullptr || !AddCmdline(open->event, record)) {
    if (open != nullptr && HasVictim(open->event, record)) {
      return std::optional<v1::Event>();  // the same again
    }
    if (early_.size() >= kMaxEarly) {
      early_.erase(early_.begin());  // its kill never came
    }
    if (std::vector<CmdlineRecord>& early = early_[id]; early.size() < kMaxFullVictims) {
      early.push_back(record);
    }
    return std::optional<v1::Event>();
  }
  return Revise(*open, true, now_boottime_ns);
}

bool CaseBook::IsSaidAlready(const SignalRecord& record) {
  if (record.kind != SignalKind::kNoVictim) {
    return false;
  }
  if (record.target.cgroup_id == no_victim_cgroup_ &&
      record.boottime_ns - no_victim_boottime_ns_ < kSameNoVictimNs) {
    return true;
  }
  no_victim_cgroup_ = record.target.cgroup_id;
  no_victim_boottime_ns_ = record.boottime_ns;
  return false;
}

bool CaseBook::Spend(HourlyBudget& budget, uint64_t boottime_ns) {
  constexpr uint64_t kHourNs = 3600ULL * 1'000'000'000;
  if (boottime_ns / kHourNs != budget.hour) {
    budget = {.hour = boottime_ns / kHourNs};
  }
  return budget.spent++ < kNoKillsPerHour;
}

bool CaseBook::TakeEarly(const std::string& id, v1::Event& event) {
  const auto found = early_.find(id);
  if (found == early_.end()) {
    return false;
  }
  const bool any = std::erase_if(found->second, [&](const CmdlineRecord& record) {
                     return AddCmdline(event, record);
                   }) > 0;
  if (found->second.empty()) {
    early_.erase(found);
  }
  return any;
}

// The victim is about to be gone; who held memory beside it is not.
void CaseBook::AskWhoLives(const v1::Event& event) const {
  if (!sources_.ask_cmdline || !IsOfThisBoot(event)) {
    return;
  }
  for (const v1::MemoryUser& user : event.oom().top_users()) {
    if (!user.victim() && user.cmdline().empty()) {
      sources_.ask_cmdline(event.event_id(), user.tgid(), user.start_boottime_ns());
    }
  }
}

std::optional<v1::Event> CaseBook::AddUserCmdline(const std::string& event_id, uint32_t tgid,
                                                  uint64_t start_boottime_ns,
                                                  const std::string& cmdline,
                                                  uint64_t now_boottime_ns) {
  const auto open = open_.find(event_id);
  if (open == open_.end()) {
    return std::nullopt;
  }
  bool changed = false;
  for (v1::MemoryUser& user : *open->second.event.mutable_oom()->mutable_top_users()) {
    if (user.tgid() == tgid && user.start_boottime_ns() == start_boottime_ns &&
        user.cmdline().empty()) {
      user.set_cmdline(EscapeUntrusted(cmdline));
      changed = true;
    }
  }
  return Revise(open->second, changed, now_boottime_ns);
}

v1::Event CaseBook::Begin(const std::string& id, const KillRecord& record,
                          const EventContext& context, uint64_t now_boottime_ns) {
  v1::Event event = AssembleKill(record, context);
  if (sources_.identify) {
    FillContainer(sources_.identify, *event.mutable_oom());
  }
  TakeEarly(id, event);
  AskWhoLives(event);
  if (CanName(event)) {
    NameKnownFrames(*sources_.symbols, *event.mutable_oom());
    AskForNames(event);
  }
  const bool alone = record.version < kFirstVersionWithCmdline;
  event.set_final(!record.kills_group && !record.group_member && (alone || IsComplete(event)));
  // Open even if final: a sharer's signal may be in the same batch, which the lookup does not see.
  if (!event.final() || !alone) {
    open_.emplace(id, Case{event, now_boottime_ns + kWaitNs});
  }
  return event;
}

void CaseBook::AskForNames(const v1::Event& event) const {
  if (sources_.ask_symbols && CanName(event) && NeedsSymbols(event.oom())) {
    sources_.ask_symbols(FrameAddresses(event.oom()));
  }
}

std::vector<v1::Event> CaseBook::NameOpen() {
  std::vector<v1::Event> named;
  for (auto& [id, open] : open_) {
    if (!CanName(open.event) || !NeedsSymbols(open.event.oom())) {
      continue;
    }
    NameKnownFrames(*sources_.symbols, *open.event.mutable_oom());
    if (auto event = NextRevision(open, !NeedsSymbols(open.event.oom()))) {
      named.push_back(std::move(*event));
    }
  }
  return named;
}

void CaseBook::Reopen(v1::Event event, uint64_t now_boottime_ns) {
  AskForNames(event);
  std::string id = event.event_id();
  open_.emplace(std::move(id), Case{std::move(event), now_boottime_ns + kWaitNs});
}

// After a long absence thousands of kills are read in a second: those heard of first are closed.
uint64_t CaseBook::DueUntil(uint64_t now_boottime_ns) const {
  if (open_.size() <= kMaxOpen) {
    return now_boottime_ns;
  }
  std::vector<uint64_t> deadlines;
  for (const auto& [id, open] : open_) {
    deadlines.push_back(open.deadline_ns);
  }
  const auto last = deadlines.end() - static_cast<ptrdiff_t>(kMaxOpen) - 1;
  std::nth_element(deadlines.begin(), last, deadlines.end());
  return std::max(now_boottime_ns, *last);
}

std::vector<v1::Event> CaseBook::Close(uint64_t now_boottime_ns) {
  std::vector<v1::Event> closed;
  const uint64_t due = DueUntil(now_boottime_ns);
  for (auto it = open_.begin(); it != open_.end();) {
    if (it->second.deadline_ns > due) {
      ++it;
      continue;
    }
    v1::Event& event = it->second.event;
    if (!event.final()) {
      if (CanName(event)) {
        NameAllFrames(*sources_.symbols, *event.mutable_oom());
      }
      TellUnread(event);
      TrimToSize(event);
      event.set_final(true);
      event.set_revision(event.revision() + 1);
      closed.push_back(std::move(event));
    }
    it = open_.erase(it);
  }
  return closed;
}

bool CaseBook::HasOpenGroup() const {
  return std::any_of(open_.begin(), open_.end(), [](const auto& open) {
    return open.second.event.has_oom() && IsGroup(open.second.event.oom());
  });
}

std::optional<uint64_t> CaseBook::NextDeadline() const {
  std::optional<uint64_t> next;
  for (const auto& [id, open] : open_) {
    next = std::min(next.value_or(open.deadline_ns), open.deadline_ns);
  }
  return next;
}

}  // namespace oombox
