#include <fmt/format.h>

#include <algorithm>

#include "agent/diagnose/parts.h"
#include "agent/diagnose/words.h"

namespace oombox {

namespace {

bool IsNode(const v1::OomEvent& oom) { return oom.scope() == v1::OOM_SCOPE_NODE; }

// The kernel reclaims before it kills, so usage stands at the limit, less a few pages per CPU.
bool UsageIsAtLimit(const v1::LimitHit& hit) {
  return hit.has_usage_bytes() && hit.has_limit_bytes() &&
         hit.usage_bytes() >= hit.limit_bytes() - hit.limit_bytes() / 100;
}

v1::Confidence ConfidenceOf(const v1::LimitHit& hit) {
  // Both are the kernel's own word.
  if (hit.provenance() == v1::PROVENANCE_AT_KILL ||
      hit.provenance() == v1::PROVENANCE_RECONSTRUCTED) {
    return v1::CONFIDENCE_HIGH;
  }
  return UsageIsAtLimit(hit) ? v1::CONFIDENCE_MEDIUM : v1::CONFIDENCE_LOW;
}

// Whose limit it was, by the name that its owner gave it; the cgroup where there is none.
bool IsNamedContainer(const v1::OomEvent& oom) {
  return oom.scope() == v1::OOM_SCOPE_CONTAINER && !oom.container().container_name().empty();
}

bool IsNamedPod(const v1::OomEvent& oom) {
  return oom.scope() == v1::OOM_SCOPE_POD && !oom.container().pod_name().empty();
}

std::string LimitOwner(const v1::OomEvent& oom) {
  if (IsNamedContainer(oom)) {
    return "container " + oom.container().container_name();
  }
  return IsNamedPod(oom) ? "pod " + oom.container().pod_name()
                         : "cgroup " + oom.limit_hit().cgroup_path();
}

std::string Verdict(const v1::OomEvent& oom, v1::Confidence confidence) {
  const char* hedge = confidence == v1::CONFIDENCE_LOW ? "probably " : "";
  if (oom.decision().constraint() == v1::OomDecision::CONSTRAINT_CPUSET) {
    return "the NUMA nodes of the trigger's cpuset ran out of memory";
  }
  if (oom.decision().constraint() == v1::OomDecision::CONSTRAINT_MEMORY_POLICY) {
    return "the NUMA nodes of the trigger's memory policy ran out of memory";
  }
  if (IsNode(oom)) {
    return fmt::format("the node {}ran out of memory", hedge);
  }
  const v1::LimitHit& hit = oom.limit_hit();
  const std::string amount =
      hit.has_limit_bytes() ? fmt::format(" ({})", ByteWords(hit.limit_bytes())) : std::string();
  return fmt::format("{}limit of {} hit{}", hedge, LimitOwner(oom), amount);
}

const char* ScopeSentence(v1::OomScope scope) {
  switch (scope) {
    case v1::OOM_SCOPE_CONTAINER:
      return "it is the container's own limit";
    case v1::OOM_SCOPE_POD:
      return "it is the pod's limit";
    case v1::OOM_SCOPE_QOS:
      return "it is the limit of a QoS class";
    case v1::OOM_SCOPE_NODE_ALLOCATABLE:
      return "it is what the kubelet allows all pods together";
    case v1::OOM_SCOPE_SYSTEM:
      return "it is the limit of something that is no pod";
    default:
      return nullptr;
  }
}

void DescribeLimit(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  const char* const sentence = ScopeSentence(oom.scope());
  if (sentence != nullptr && !IsNamedContainer(oom) && !IsNamedPod(oom)) {
    diagnosis->add_details(sentence);
  }
  const v1::LimitHit& hit = oom.limit_hit();
  if (hit.has_level() && hit.level() > 0 && !oom.cgroups().empty()) {
    diagnosis->add_details(fmt::format("it is {} level{} above the victim's own cgroup {}",
                                       hit.level(), hit.level() == 1 ? "" : "s",
                                       oom.cgroups(0).path()));
  }
  if (hit.has_usage_bytes() && hit.has_limit_bytes()) {
    const bool at_limit = UsageIsAtLimit(hit);
    AddEvidence(at_limit ? v1::Evidence::WEIGHT_FOR : v1::Evidence::WEIGHT_AGAINST,
                "usage " + ShareWords(hit.usage_bytes(), hit.limit_bytes()),
                SourceWords(hit.provenance()), diagnosis);
  }
}

// The limits below the one that fired were not reached: they are ruled out.
void RuleOutLowerLimits(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  const auto levels = static_cast<uint32_t>(oom.cgroups_size());
  const uint32_t below = IsNode(oom) ? levels : oom.limit_hit().level();
  const int end = static_cast<int>(std::min(below, levels));
  for (int i = 0; i < end; ++i) {
    const v1::CgroupLevel& level = oom.cgroups(i);
    if (level.has_usage_bytes() && level.has_max_bytes() &&
        level.usage_bytes() < level.max_bytes()) {
      AddEvidence(v1::Evidence::WEIGHT_AGAINST,
                  fmt::format("ruled out: limit of cgroup {}, usage {}", level.path(),
                              ShareWords(level.usage_bytes(), level.max_bytes())),
                  SourceWords(oom.quality().provenance()), diagnosis);
    }
  }
}

// Usage against limits points elsewhere: the kernel's own word counts, but it is worth a look.
void TellDisagreement(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  const v1::OomDecision& decision = oom.decision();
  if (decision.has_inferred_level() &&
      decision.inferred_level() < static_cast<uint32_t>(oom.cgroups_size())) {
    const auto level = static_cast<int>(decision.inferred_level());
    AddEvidence(v1::Evidence::WEIGHT_AGAINST,
                fmt::format("cgroup {} was full, too; the kernel decided on another limit",
                            oom.cgroups(level).path()),
                "inferred", diagnosis);
  }
}

}  // namespace

void DiagnoseLimit(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  const v1::LimitHit& hit = oom.limit_hit();
  if (oom.has_decision() && oom.decision().order() < 0) {
    diagnosis->set_verdict("somebody asked the kernel for a kill (sysrq-f); no limit was hit");
    diagnosis->set_confidence(v1::CONFIDENCE_HIGH);
    return;
  }
  if (!IsNode(oom) && hit.cgroup_path().empty()) {
    diagnosis->set_verdict("a limit was hit; which one is not known");
    diagnosis->set_confidence(v1::CONFIDENCE_LOW);
    return;
  }
  diagnosis->set_confidence(ConfidenceOf(hit));
  diagnosis->set_verdict(Verdict(oom, diagnosis->confidence()));
  DescribeLimit(oom, diagnosis);
  TellDisagreement(oom, diagnosis);
  RuleOutLowerLimits(oom, diagnosis);
}

}  // namespace oombox
