#include <fmt/format.h>

#include <algorithm>

#include "agent/diagnose/parts.h"
#include "agent/diagnose/words.h"

namespace oombox {

namespace {

bool IsSameProcess(const v1::Victim& victim, const v1::MemoryUser& user) {
  return victim.tgid() == user.tgid() && victim.start_boottime_ns() == user.start_boottime_ns();
}

bool IsFirst(const v1::OomEvent& oom, const v1::Victim& victim) {
  return victim.rank() == 1 ||
         (!oom.top_users().empty() && IsSameProcess(victim, oom.top_users(0)));
}

// "182 of 196 MiB (93 %)" where the whole is known, "182 MiB" where only the part is.
std::string AmountWords(const v1::OomEvent& oom, uint64_t resident) {
  const auto total = ResidentBytes(oom.ranking().visited_total());
  return total.has_value() && *total >= resident && *total > 0 ? ShareWords(resident, *total)
                                                               : ByteWords(resident);
}

std::string DescribeLargest(const v1::OomEvent& oom, const v1::Victim& victim) {
  const auto resident = ResidentBytes(victim.memory());
  return fmt::format("victim {} was the largest process{}{}",
                     ProcessWords(victim.comm(), victim.namespace_pid(), victim.tgid()),
                     oom.ranking().truncated() ? " of those looked at" : "",
                     resident ? ": " + AmountWords(oom, *resident) : std::string());
}

std::string DescribeNotLargest(const v1::Victim& victim, const v1::MemoryUser& hog) {
  const auto held = ResidentBytes(hog.memory());
  const auto resident = ResidentBytes(victim.memory());
  std::string sentence =
      fmt::format("victim {}{} was NOT the largest: {}{} ranks first",
                  ProcessWords(victim.comm(), victim.namespace_pid(), victim.tgid()),
                  resident ? fmt::format(" ({})", ByteWords(*resident)) : std::string(),
                  ProcessWords(hog.comm(), hog.namespace_pid(), hog.tgid()),
                  held ? " with " + ByteWords(*held) : std::string());
  if (hog.has_oom_score_adj() && victim.has_oom_score_adj() &&
      hog.oom_score_adj() != victim.oom_score_adj()) {
    sentence += fmt::format("; its oom_score_adj is {}, the victim's {}", hog.oom_score_adj(),
                            victim.oom_score_adj());
  }
  return sentence;
}

void CompareWithOthers(const v1::OomEvent& oom, const v1::Victim& victim,
                       v1::Diagnosis* diagnosis) {
  const std::string source = SourceWords(oom.quality().provenance());
  if (IsFirst(oom, victim)) {
    const std::string sentence = DescribeLargest(oom, victim);
    diagnosis->add_details(sentence);
    AddEvidence(v1::Evidence::WEIGHT_FOR, sentence, source, diagnosis);
  } else if (!oom.top_users().empty()) {
    const std::string sentence = DescribeNotLargest(victim, oom.top_users(0));
    diagnosis->add_details(sentence);
    AddEvidence(v1::Evidence::WEIGHT_AGAINST, sentence, source, diagnosis);
  } else {
    const auto resident = ResidentBytes(victim.memory());
    diagnosis->add_details(fmt::format(
        "victim was {}{}", ProcessWords(victim.comm(), victim.namespace_pid(), victim.tgid()),
        resident ? " with " + ByteWords(*resident) : std::string()));
  }
}

void DescribeTrigger(const v1::OomEvent& oom, const v1::Victim& victim, v1::Diagnosis* diagnosis) {
  if (!oom.has_trigger()) {
    return;
  }
  const v1::Trigger& trigger = oom.trigger();
  if (trigger.activity() == v1::Trigger::ACTIVITY_SYSRQ) {
    return;
  }
  if (trigger.tgid() == victim.tgid()) {
    diagnosis->add_details("the victim itself asked for the memory that was not there");
    return;
  }
  const bool killed_too =
      std::any_of(oom.victims().begin(), oom.victims().end(),
                  [&](const v1::Victim& other) { return other.tgid() == trigger.tgid(); });
  diagnosis->add_details(fmt::format("trigger was {}, {}",
                                     ProcessWords(trigger.comm(), 0, trigger.tgid()),
                                     killed_too ? "killed with it" : "not the victim"));
}

void DescribeGroup(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  if (oom.victims_total() < 2) {
    return;
  }
  bool group = false;
  for (const v1::Victim& victim : oom.victims()) {
    group = group || victim.role() == v1::VICTIM_ROLE_GROUP_MEMBER;
  }
  diagnosis->add_details(fmt::format("{} processes were killed{}", oom.victims_total(),
                                     group ? ": memory.oom.group kills the whole cgroup" : ""));
}

void DescribeRelated(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  int sharers = 0;
  int collateral = 0;
  for (const v1::RelatedProcess& related : oom.related()) {
    sharers += related.relation() == v1::RelatedProcess::RELATION_SHARER ? 1 : 0;
    collateral += related.relation() == v1::RelatedProcess::RELATION_COLLATERAL ? 1 : 0;
  }
  if (sharers > 0) {
    diagnosis->add_details(fmt::format("{} more died because they share its memory", sharers));
  }
  if (collateral > 0) {
    diagnosis->add_details(fmt::format(
        "the victim was the first process of its container; {} more died with it", collateral));
  }
}

}  // namespace

void DiagnoseVictim(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  if (oom.victims().empty()) {
    diagnosis->add_unknowns("who was killed: no victim was recorded");
    return;
  }
  const v1::Victim& victim = oom.victims(0);
  CompareWithOthers(oom, victim, diagnosis);
  DescribeTrigger(oom, victim, diagnosis);
  DescribeGroup(oom, diagnosis);
  DescribeRelated(oom, diagnosis);
}

}  // namespace oombox
