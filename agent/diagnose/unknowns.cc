#include <fmt/format.h>

#include <set>
#include <string>

#include "agent/diagnose/parts.h"

namespace oombox {

namespace {

constexpr int kMaxMissingListed = 20;

// Lists what is unknown, each field once, with the reason that the event gives.
class UnknownList {
 public:
  UnknownList(const v1::CaptureQuality& quality, v1::Diagnosis* diagnosis)
      : quality_(quality), diagnosis_(diagnosis) {}

  void Add(const std::string& field, const std::string& sentence) {
    told_.insert(field);
    for (const v1::MissingField& missing : quality_.missing()) {
      if (missing.field() == field && !missing.reason().empty()) {
        diagnosis_->add_unknowns(fmt::format("{} ({})", sentence, missing.reason()));
        return;
      }
    }
    diagnosis_->add_unknowns(sentence);
  }

  // It is there, whatever the event says.
  void Skip(const std::string& field) { told_.insert(field); }

  void AddTheRest() {
    int listed = 0;
    for (const v1::MissingField& missing : quality_.missing()) {
      if (!told_.insert(missing.field()).second) {
        continue;
      }
      if (listed++ == kMaxMissingListed) {
        diagnosis_->add_unknowns("more fields; the event lists them");
        return;
      }
      diagnosis_->add_unknowns(fmt::format("{}: {}", missing.field(), missing.reason()));
    }
  }

 private:
  const v1::CaptureQuality& quality_;
  v1::Diagnosis* diagnosis_;
  std::set<std::string> told_;
};

}  // namespace

void ListUnknowns(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  UnknownList unknowns(oom.quality(), diagnosis);
  const v1::LimitHit& hit = oom.limit_hit();
  if (!oom.has_limit_hit()) {
    unknowns.Add("limit_hit", "which limit fired: not recorded");
  } else if (hit.provenance() != v1::PROVENANCE_AT_KILL &&
             hit.provenance() != v1::PROVENANCE_RECONSTRUCTED) {
    unknowns.Add("limit_hit",
                 "which limit fired: not recorded, concluded from usage against limits");
  }
  if (oom.top_users().empty()) {
    unknowns.Add("top_users", "who else held memory: not recorded");
  } else if (oom.ranking().truncated()) {
    unknowns.Add("ranking", fmt::format("whether a bigger process exists: only {} were looked at",
                                        oom.ranking().processes_visited()));
  }
  if (oom.top_allocators().empty()) {
    unknowns.Add("top_allocators", "which code brought the memory in: not recorded");
  }
  if (oom.curve().points().empty()) {
    unknowns.Add("curve", "how the memory grew before the kill: not recorded");
  } else {
    unknowns.Skip("curve");
  }
  const v1::Container& container = oom.container();
  if (container.container_id().empty() && container.pod_uid().empty()) {
    unknowns.Add("container", "container, pod and owner: not known");
  } else if (container.pod_name().empty()) {
    unknowns.Add("container.pod_name",
                 "names of container, pod and owner: not known, only their ids");
  }
  unknowns.AddTheRest();
}

}  // namespace oombox
