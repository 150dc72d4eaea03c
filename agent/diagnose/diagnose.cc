#include "agent/diagnose/diagnose.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <limits>

#include "agent/diagnose/parts.h"

namespace oombox {

namespace {

// Raise it when the same event would get other words: stored diagnoses are keyed by it.
constexpr uint32_t kEngineVersion = 4;

void AddHistory(const WorkloadHistory& history, v1::Diagnosis* diagnosis) {
  if (history.kills == 0) {
    return;
  }
  constexpr uint64_t kMax = std::numeric_limits<uint32_t>::max();
  diagnosis->set_workload_kills(static_cast<uint32_t>(std::min(history.kills, kMax)));
  *diagnosis->mutable_workload_first_kill_time() =
      google::protobuf::util::TimeUtil::NanosecondsToTimestamp(history.first_time_ns);
}

}  // namespace

v1::Diagnosis Diagnose(const v1::Event& event, const WorkloadHistory& history) {
  v1::Diagnosis diagnosis;
  diagnosis.set_engine_version(kEngineVersion);
  diagnosis.set_event_revision(event.revision());
  switch (event.body_case()) {
    case v1::Event::kOom:
      DiagnoseLimit(event.oom(), &diagnosis);
      DiagnoseVictim(event.oom(), &diagnosis);
      DiagnoseComposition(event.oom(), &diagnosis);
      DescribeKubernetes(event, &diagnosis);
      ListUnknowns(event.oom(), &diagnosis);
      AddHistory(history, &diagnosis);
      break;
    case v1::Event::kGap:
      DiagnoseGap(event.gap(), &diagnosis);
      break;
    case v1::Event::kNoKill:
      DiagnoseNoKill(event.no_kill(), &diagnosis);
      DescribeKubernetes(event, &diagnosis);
      break;
    case v1::Event::kPressure:
      DiagnosePressure(event.pressure(), &diagnosis);
      break;
    case v1::Event::BODY_NOT_SET:
      diagnosis.set_verdict("this version does not know this kind of event");
      diagnosis.set_confidence(v1::CONFIDENCE_LOW);
      diagnosis.add_unknowns("what happened: a newer version wrote the event");
      break;
  }
  return diagnosis;
}

}  // namespace oombox
