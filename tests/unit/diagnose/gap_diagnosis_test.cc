#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnose/fixture.h"

namespace oombox {
namespace {

using testing::Contains;

v1::Diagnosis DiagnoseGapOf(v1::GapEvent::Cause cause, std::optional<uint64_t> count) {
  v1::Event event;
  event.mutable_gap()->set_cause(cause);
  event.mutable_gap()->mutable_start_time()->set_seconds(0);
  event.mutable_gap()->mutable_end_time()->set_seconds(60);
  if (count.has_value()) {
    event.mutable_gap()->set_count(*count);
  }
  return Diagnose(event);
}

TEST(GapDiagnosisTest, CountsWhatTheFullRingLost) {
  const v1::Diagnosis diagnosis = DiagnoseGapOf(v1::GapEvent::CAUSE_RING_FULL, 3);

  EXPECT_EQ(diagnosis.verdict(), "lost: 3 kills; the kernel's ring buffer was full");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_HIGH);
  EXPECT_THAT(diagnosis.details(),
              Contains("between 1970-01-01T00:00:00Z and 1970-01-01T00:01:00Z"));
  EXPECT_THAT(diagnosis.unknowns(), Contains("which processes were killed in the gap"));
}

TEST(GapDiagnosisTest, DoesNotTakeAnUnknownCountForNone) {
  const v1::Diagnosis diagnosis = DiagnoseGapOf(v1::GapEvent::CAUSE_NOT_RUNNING, std::nullopt);

  EXPECT_EQ(diagnosis.verdict(), "the agent was not watching; missed: an unknown number of kills");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_MEDIUM);
  EXPECT_THAT(diagnosis.unknowns(), Contains("whether any kill was missed, and how many"));
}

TEST(GapDiagnosisTest, AdmitsThatTheCauseIsNotKnown) {
  const v1::Diagnosis diagnosis = DiagnoseGapOf(v1::GapEvent::CAUSE_UNEXPLAINED, 1);

  EXPECT_EQ(diagnosis.verdict(),
            "the kernel counted more kills than were captured; missed: 1 kill");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_LOW);
  EXPECT_THAT(diagnosis.unknowns(), Contains("why they were missed"));
}

TEST(GapDiagnosisTest, DoesNotCallUnknownWhatTheKernelLogTold) {
  v1::Event event;
  event.mutable_gap()->set_cause(v1::GapEvent::CAUSE_NOT_RUNNING);
  event.mutable_gap()->set_count(2);
  event.mutable_gap()->set_reconstructed(1);
  EXPECT_THAT(Diagnose(event).unknowns(), Contains("which processes the others were"));

  event.mutable_gap()->set_reconstructed(2);

  EXPECT_EQ(Diagnose(event).unknowns_size(), 0);
}

TEST(GapDiagnosisTest, HasAWordForEveryCause) {
  for (int cause = 0; cause < v1::GapEvent::Cause_ARRAYSIZE; ++cause) {
    EXPECT_NE(DiagnoseGapOf(static_cast<v1::GapEvent::Cause>(cause), 1).verdict(), "");
  }
}

TEST(NoKillDiagnosisTest, SaysWhoKilledAContainersInit) {
  v1::Event event;
  v1::NoKillEvent& no_kill = *event.mutable_no_kill();
  no_kill.set_kind(v1::NoKillEvent::KIND_INIT_KILLED);
  no_kill.mutable_process()->set_comm("python3");
  no_kill.mutable_process()->set_tgid(4711);
  no_kill.mutable_process()->set_cgroup_tail("pod/worker");
  no_kill.mutable_sender()->set_comm("runc");
  no_kill.mutable_sender()->set_tgid(12);

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_EQ(diagnosis.verdict(),
            "no OOM: runc[12] sent SIGKILL to python3[4711], the first process of a container");
  EXPECT_EQ(diagnosis.details(0), "in cgroup .../pod/worker");
}

TEST(NoKillDiagnosisTest, HasAWordForEveryKind) {
  for (int kind = 0; kind < v1::NoKillEvent::Kind_ARRAYSIZE; ++kind) {
    v1::Event event;
    event.mutable_no_kill()->set_kind(static_cast<v1::NoKillEvent::Kind>(kind));
    EXPECT_NE(Diagnose(event).verdict(), "");
  }
}

TEST(GapDiagnosisTest, AnEventOfANewerVersionIsNotGuessedAt) {
  const v1::Diagnosis diagnosis = Diagnose(v1::Event());

  EXPECT_EQ(diagnosis.verdict(), "this version does not know this kind of event");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_LOW);
}

}  // namespace
}  // namespace oombox
