#include "agent/event/case_book.h"

#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "agent/common/text.h"
#include "agent/event/curve.h"
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

// About its container.
ContainerSource::Question QuestionOf(const v1::Event& event) {
  return {.event_id = event.event_id(),
          .container_id = ContainerOf(event)->container_id(),
          .killed_wall_ns =
              google::protobuf::util::TimeUtil::TimestampToNanoseconds(event.event_time())};
}

}  // namespace

// One victim, and what it was started as.
bool CaseBook::IsComplete(const v1::Event& event) const {
  if (event.has_no_kill()) {
    return true;
  }
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
  if (!earlier || (!earlier->has_oom() && !earlier->has_no_kill())) {
    return nullptr;
  }
  const bool final = earlier->final();
  return &open_.emplace(id, Case{.event = std::move(*earlier), .settled = final}).first->second;
}

std::optional<v1::Event> CaseBook::Revise(Case& open, bool changed, uint64_t now_boottime_ns) {
  open.deadline_ns = now_boottime_ns + kWaitNs;
  open.quiet = false;
  open.settled = open.settled && !changed;
  return NextRevision(open, changed);
}

std::optional<v1::Event> CaseBook::NextRevision(Case& open, bool changed) const {
  if (!changed) {
    return std::nullopt;
  }
  TrimToSize(open.event);
  open.event.set_final((open.settled || IsComplete(open.event)) && open.fate_until_ns == 0);
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
    if (!no_kills_.Admits(record)) {
      return std::optional<v1::Event>();
    }
    return std::optional(BeginNoKill(record, context, now_boottime_ns));
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

void CaseBook::AskForContainer(Case& open, uint64_t now_boottime_ns) const {
  const v1::Container* container = ContainerOf(open.event);
  if (container == nullptr || !IsOfThisBoot(open.event)) {
    return;
  }
  if (sources_.containers == nullptr) {
    TellNobodyIsAsked(open.event);
    return;
  }
  const std::string id = container->container_id();
  if (const auto known = sources_.containers->Known(id)) {
    AddNames(*known, open.event);
    if (known->is_sandbox) {
      return;  // its end is no news
    }
  }
  open.fate_until_ns = now_boottime_ns + kFateWaitNs;
  sources_.containers->Ask(QuestionOf(open.event));
}

Result<std::optional<v1::Event>> CaseBook::AddContainer(const ContainerSource::Answer& answer,
                                                        uint64_t now_boottime_ns) {
  OOMBOX_TRY(Case* const open, Find(answer.event_id));
  if (open == nullptr || ContainerOf(open->event) == nullptr) {
    return std::optional<v1::Event>();
  }
  if (answer.last) {
    open->fate_until_ns = 0;
    if (open->settled) {
      open->deadline_ns = now_boottime_ns;
    }
  }
  const bool changed = answer.last ? AddFate(answer, open->event)
                                   : answer.found && AddNames(answer.container, open->event);
  return NextRevision(*open, changed);
}

void CaseBook::NameIfKnown(v1::Event& event) const {
  const v1::Container* container = ContainerOf(event);
  if (sources_.containers == nullptr || container == nullptr || !IsOfThisBoot(event)) {
    return;
  }
  if (const auto known = sources_.containers->Known(container->container_id())) {
    AddNames(*known, event);
  }
}

v1::Event CaseBook::BeginNoKill(const SignalRecord& record, const EventContext& context,
                                uint64_t now_boottime_ns) {
  Case open{.event = AssembleNoKill(record, context), .deadline_ns = now_boottime_ns + kWaitNs};
  if (sources_.identify) {
    FillContainer(sources_.identify, *open.event.mutable_no_kill());
  }
  AskForContainer(open, now_boottime_ns);
  if (open.fate_until_ns > 0) {
    open.event.set_final(false);
    open_.emplace(open.event.event_id(), open);
  }
  return std::move(open.event);
}

v1::Event CaseBook::Begin(const std::string& id, const KillRecord& record,
                          const EventContext& context, uint64_t now_boottime_ns) {
  Case open{.event = AssembleKill(record, context), .deadline_ns = now_boottime_ns + kWaitNs};
  v1::Event& event = open.event;
  if (sources_.identify) {
    FillContainer(sources_.identify, *event.mutable_oom());
  }
  AskForContainer(open, now_boottime_ns);
  AddHistory(IsOfThisBoot(event) ? sources_.history : nullptr, event);
  TakeEarly(id, event);
  AskWhoLives(event);
  if (CanName(event)) {
    NameKnownFrames(*sources_.symbols, *event.mutable_oom());
    AskForNames(open, now_boottime_ns);
  }
  const bool alone = record.version < kFirstVersionWithCmdline;
  event.set_final(!record.kills_group && !record.group_member && (alone || IsComplete(event)) &&
                  open.fate_until_ns == 0);
  // Open even if final: a sharer's signal may be in the same batch, which the lookup does not see.
  if (!event.final() || !alone) {
    open_.emplace(id, open);
  }
  return std::move(open.event);
}

void CaseBook::AskForNames(Case& open, uint64_t now_boottime_ns) const {
  if (sources_.ask_symbols && CanName(open.event) && NeedsSymbols(open.event.oom())) {
    sources_.ask_symbols(FrameAddresses(open.event.oom()));
    open.names_until_ns = now_boottime_ns + kNamesWaitNs;
  }
}

bool CaseBook::AwaitsNames(const Case& open, uint64_t now_boottime_ns) const {
  return !open.settled && open.names_until_ns > now_boottime_ns && NeedsSymbols(open.event.oom()) &&
         !sources_.symbols->Known(FrameAddresses(open.event.oom()));
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
  std::string id = event.event_id();
  Case open{.event = std::move(event), .deadline_ns = now_boottime_ns + kWaitNs};
  AskForNames(open, now_boottime_ns);
  AskForContainer(open, now_boottime_ns);
  open_.emplace(std::move(id), std::move(open));
}

// After a long absence thousands of kills are read in a second, and what dies while its container
// lives waits long for the runtime. What is closed early finds its event in the store.
void CaseBook::HurryTooMany() {
  if (open_.size() <= kMaxOpen) {
    return;
  }
  std::vector<Case*> cases;
  for (auto& [id, open] : open_) {
    cases.push_back(&open);
  }
  const auto end = cases.begin() + static_cast<ptrdiff_t>(cases.size() - kMaxOpen);
  std::nth_element(cases.begin(), end - 1, cases.end(), [](const Case* a, const Case* b) {
    return std::pair(!a->settled, a->deadline_ns) < std::pair(!b->settled, b->deadline_ns);
  });
  for (auto it = cases.begin(); it != end; ++it) {
    (*it)->deadline_ns = 0;
    (*it)->fate_until_ns = 0;
    (*it)->names_until_ns = 0;
  }
}

// What only time tells: nothing more comes from the kernel. True when that changes the event.
bool CaseBook::Settle(Case& open) const {
  if (std::exchange(open.settled, true) || !open.event.has_oom()) {
    return false;
  }
  const v1::OomEvent before = open.event.oom();
  if (CanName(open.event)) {
    if (!sources_.ask_symbols && NeedsSymbols(open.event.oom())) {
      sources_.symbols->LookUp(FrameAddresses(open.event.oom()));
    }
    NameFramesAtLast(*sources_.symbols, *open.event.mutable_oom());
  }
  TellUnread(open.event);
  TrimToSize(open.event);
  return !google::protobuf::util::MessageDifferencer::Equals(before, open.event.oom());
}

std::vector<v1::Event> CaseBook::Close(uint64_t now_boottime_ns) {
  std::vector<v1::Event> changed;
  HurryTooMany();
  for (auto it = open_.begin(); it != open_.end();) {
    Case& open = it->second;
    if (open.deadline_ns > now_boottime_ns) {
      ++it;
      continue;
    }
    open.quiet = true;
    if (AwaitsNames(open, now_boottime_ns)) {
      open.deadline_ns = std::min(now_boottime_ns + kWaitNs, open.names_until_ns);
      ++it;
      continue;
    }
    const bool waits = open.fate_until_ns > now_boottime_ns;
    if (!open.event.final() && (Settle(open) || !waits)) {
      open.event.set_final(!waits);
      open.event.set_revision(open.event.revision() + 1);
      changed.push_back(open.event);
    }
    if (waits) {
      open.deadline_ns = open.fate_until_ns;
      ++it;
    } else {
      it = open_.erase(it);
    }
  }
  return changed;
}

bool CaseBook::HasOpenGroup() const {
  return std::any_of(open_.begin(), open_.end(), [](const auto& open) {
    return !open.second.quiet && !open.second.settled && open.second.event.has_oom() &&
           IsGroup(open.second.event.oom());
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
