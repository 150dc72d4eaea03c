#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include "agent/diagnose/parts.h"

namespace oombox {

namespace {

using google::protobuf::util::TimeUtil;

// "3 kills", "1 kill", "an unknown number of kills".
std::string CountWords(const v1::GapEvent& gap, const char* what) {
  if (!gap.has_count()) {
    return fmt::format("an unknown number of {}s", what);
  }
  return fmt::format("{} {}{}", gap.count(), what, gap.count() == 1 ? "" : "s");
}

std::string Verdict(const v1::GapEvent& gap) {
  switch (gap.cause()) {
    case v1::GapEvent::CAUSE_RING_FULL:
      return fmt::format("lost: {}; the kernel's ring buffer was full", CountWords(gap, "kill"));
    case v1::GapEvent::CAUSE_NOT_RUNNING:
      return fmt::format("the agent was not watching; missed: {}", CountWords(gap, "kill"));
    case v1::GapEvent::CAUSE_UNEXPLAINED:
      return fmt::format("the kernel counted more kills than were captured; missed: {}",
                         CountWords(gap, "kill"));
    case v1::GapEvent::CAUSE_UNDECODABLE:
      return fmt::format("not readable: {}; the bytes are kept in the journal",
                         CountWords(gap, "captured record"));
    case v1::GapEvent::CAUSE_EVICTED:
      return fmt::format("evicted from the full store before a collector had them: {}",
                         CountWords(gap, "event"));
    case v1::GapEvent::CAUSE_RECURSION:
      return fmt::format("lost: {}; the kernel skipped the program that records them",
                         CountWords(gap, "kill"));
    case v1::GapEvent::CAUSE_DAMAGED_FILE:
      return fmt::format("a file was damaged or is gone; in it, at most: {}",
                         CountWords(gap, "kill"));
    default:
      return fmt::format("a gap for a reason this version does not know; missed: {}",
                         CountWords(gap, "kill"));
  }
}

}  // namespace

void DiagnoseGap(const v1::GapEvent& gap, v1::Diagnosis* diagnosis) {
  diagnosis->set_verdict(Verdict(gap));
  if (gap.has_start_time() && gap.has_end_time()) {
    diagnosis->add_details(fmt::format("between {} and {}", TimeUtil::ToString(gap.start_time()),
                                       TimeUtil::ToString(gap.end_time())));
  }
  if (!gap.detail().empty()) {
    diagnosis->add_details(gap.detail());
  }
  for (const v1::CgroupKills& kills : gap.cgroups()) {
    diagnosis->add_details(fmt::format("{} in cgroup {}", kills.kills(), kills.cgroup_path()));
  }
  if (gap.reconstructed() > 0) {
    diagnosis->add_details(
        fmt::format("{} of them put together from the kernel log", gap.reconstructed()));
  }
  const bool cause_known = gap.cause() != v1::GapEvent::CAUSE_UNSPECIFIED &&
                           gap.cause() != v1::GapEvent::CAUSE_UNEXPLAINED;
  if (!cause_known) {
    diagnosis->add_unknowns("why they were missed");
  }
  if (!gap.has_count()) {
    diagnosis->add_unknowns("whether any kill was missed, and how many");
  }
  if (!gap.has_count() || gap.reconstructed() < gap.count()) {
    diagnosis->add_unknowns(gap.reconstructed() > 0 ? "which processes the others were"
                                                    : "which processes were killed in the gap");
  }
  diagnosis->set_confidence(!cause_known      ? v1::CONFIDENCE_LOW
                            : gap.has_count() ? v1::CONFIDENCE_HIGH
                                              : v1::CONFIDENCE_MEDIUM);
}

}  // namespace oombox
