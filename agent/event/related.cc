#include "agent/event/related.h"

#include <algorithm>

#include "agent/common/text.h"
#include "agent/event/assemble.h"
#include "agent/event/assemble_parts.h"

namespace oombox {

namespace {

template <typename Process>
bool IsSame(const Process& process, uint32_t tgid, uint64_t start_boottime_ns) {
  return process.tgid() == tgid && process.start_boottime_ns() == start_boottime_ns;
}

template <typename Processes>
bool Has(const Processes& processes, const KilledProcess& target) {
  return std::any_of(processes.begin(), processes.end(), [&](const auto& process) {
    return IsSame(process, target.tgid, target.start_boottime_ns);
  });
}

constexpr const char* kCmdlineField = "victims.cmdline";

bool AnyUnread(const v1::OomEvent& oom) {
  const int full = std::min(oom.victims_size(), static_cast<int>(kMaxFullVictims));
  return std::any_of(oom.victims().begin(), oom.victims().begin() + full,
                     [](const v1::Victim& victim) { return victim.cmdline().empty(); });
}

void ForgetUnread(v1::CaptureQuality* quality) {
  auto* missing = quality->mutable_missing();
  missing->erase(
      std::remove_if(missing->begin(), missing->end(),
                     [](const v1::MissingField& field) { return field.field() == kCmdlineField; }),
      missing->end());
}

std::string Join(const CmdlineRecord& record) {
  std::string line;
  for (const std::string& argument : record.arguments) {
    line += (line.empty() ? "" : " ") + EscapeUntrusted(argument);
  }
  return record.cut ? line + " ..." : line;
}

}  // namespace

bool AddRelated(v1::Event& event, const SignalRecord& record) {
  v1::OomEvent* oom = event.mutable_oom();
  if (Has(oom->victims(), record.target) || Has(oom->related(), record.target)) {
    return false;
  }
  if (oom->related_size() >= kMaxRelated) {
    return false;
  }
  const bool sharer = record.kind == SignalKind::kSharer;
  v1::RelatedProcess* related = oom->add_related();
  related->set_relation(sharer ? v1::RelatedProcess::RELATION_SHARER
                               : v1::RelatedProcess::RELATION_COLLATERAL);
  related->set_tgid(record.target.tgid);
  related->set_namespace_pid(record.target.namespace_pid);
  related->set_comm(EscapeUntrusted(record.target.comm));
  related->set_start_boottime_ns(record.target.start_boottime_ns);
  return true;
}

bool HasVictim(const v1::Event& event, const CmdlineRecord& record) {
  return std::any_of(event.oom().victims().begin(), event.oom().victims().end(),
                     [&](const v1::Victim& victim) {
                       return IsSame(victim, record.tgid, record.start_boottime_ns);
                     });
}

bool AddCmdline(v1::Event& event, const CmdlineRecord& record) {
  bool changed = false;
  const std::string line = Join(record);
  v1::OomEvent* oom = event.mutable_oom();
  const int full = std::min(oom->victims_size(), static_cast<int>(kMaxFullVictims));
  for (int i = 0; i < full; ++i) {
    v1::Victim& victim = *oom->mutable_victims(i);
    if (victim.cmdline().empty() && IsSame(victim, record.tgid, record.start_boottime_ns)) {
      victim.set_cmdline(line);
      changed = true;
    }
  }
  for (v1::MemoryUser& user : *oom->mutable_top_users()) {
    if (user.cmdline().empty() && IsSame(user, record.tgid, record.start_boottime_ns)) {
      user.set_cmdline(line);
      changed = true;
    }
  }
  if (changed) {
    if (!AnyUnread(*oom)) {  // it came after all
      ForgetUnread(oom->mutable_quality());
    }
    TrimToSize(event);
  }
  return changed;
}

// A victim reads its own command line before it exits.
void TellUnread(v1::Event& event) {
  v1::OomEvent* oom = event.mutable_oom();
  if (!AnyUnread(*oom)) {
    return;
  }
  ForgetUnread(oom->mutable_quality());
  const bool never = oom->quality().record_version() < kFirstVersionWithCmdline;
  AddMissing(oom->mutable_quality(), kCmdlineField,
             never ? "the agent that recorded the kill took none"
                   : "not read in time: the victim has not died yet, its memory was swapped out or "
                     "taken back first, or the ring had no room");
}

}  // namespace oombox
