#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnose/fixture.h"

namespace oombox {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Property;

TEST(LimitDiagnosisTest, NamesTheLimitThatWasHit) {
  const v1::Diagnosis diagnosis = Diagnose(ContainerKill());

  EXPECT_EQ(diagnosis.verdict(), "limit of cgroup /kubepods/pod1/worker hit (200 MiB)");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_HIGH);
  EXPECT_THAT(diagnosis.details(), Contains("it is the container's own limit"));
  EXPECT_EQ(diagnosis.event_revision(), 3u);
  EXPECT_EQ(diagnosis.evidence(0).weight(), v1::Evidence::WEIGHT_FOR);
  EXPECT_EQ(diagnosis.evidence(0).statement(), "usage 200 of 200 MiB (100 %)");
  EXPECT_EQ(diagnosis.evidence(0).source(), "at kill");
}

TEST(LimitDiagnosisTest, CallsALimitByTheNameThatItsOwnerKnows) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_container()->set_container_name("worker");
  event.mutable_oom()->mutable_container()->set_pod_name("ocr-1");

  const v1::Diagnosis container = Diagnose(event);
  event.mutable_oom()->set_scope(v1::OOM_SCOPE_POD);
  const v1::Diagnosis pod = Diagnose(event);
  event.mutable_oom()->set_scope(v1::OOM_SCOPE_QOS);
  const v1::Diagnosis qos = Diagnose(event);

  EXPECT_EQ(container.verdict(), "limit of container worker hit (200 MiB)");
  EXPECT_EQ(pod.verdict(), "limit of pod ocr-1 hit (200 MiB)");
  EXPECT_EQ(qos.verdict(), "limit of cgroup /kubepods/pod1/worker hit (200 MiB)");
}

TEST(LimitDiagnosisTest, AnInferredLimitAtItsUsageIsLessCertain) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_limit_hit()->set_provenance(v1::PROVENANCE_INFERRED);
  event.mutable_oom()->mutable_limit_hit()->set_usage_bytes(199 * kMib);

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_MEDIUM);
  EXPECT_EQ(diagnosis.evidence(0).source(), "inferred");
  EXPECT_THAT(diagnosis.unknowns(), Contains(HasSubstr("concluded from usage against limits")));
}

TEST(LimitDiagnosisTest, AnInferredLimitAwayFromItsUsageIsOnlyProbable) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_limit_hit()->set_provenance(v1::PROVENANCE_INFERRED);
  event.mutable_oom()->mutable_limit_hit()->set_usage_bytes(150 * kMib);

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_LOW);
  EXPECT_THAT(diagnosis.verdict(), HasSubstr("probably limit of cgroup"));
  EXPECT_EQ(diagnosis.evidence(0).weight(), v1::Evidence::WEIGHT_AGAINST);
}

TEST(LimitDiagnosisTest, AnInferredLimitWithoutUsageIsOnlyProbable) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_limit_hit()->set_provenance(v1::PROVENANCE_INFERRED);
  event.mutable_oom()->mutable_limit_hit()->clear_usage_bytes();

  EXPECT_EQ(Diagnose(event).confidence(), v1::CONFIDENCE_LOW);
}

TEST(LimitDiagnosisTest, ALimitWithoutAValueIsNamedWithoutOne) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_limit_hit()->clear_limit_bytes();

  EXPECT_EQ(Diagnose(event).verdict(), "limit of cgroup /kubepods/pod1/worker hit");
}

TEST(LimitDiagnosisTest, SaysThatALimitAboveTheVictimFiredAndRulesOutTheLowerOne) {
  v1::Event event = ContainerKill();
  v1::OomEvent* oom = event.mutable_oom();
  oom->set_scope(v1::OOM_SCOPE_POD);
  oom->mutable_limit_hit()->set_cgroup_path("/kubepods/pod1");
  oom->mutable_limit_hit()->set_level(1);
  oom->mutable_cgroups(0)->set_usage_bytes(50 * kMib);
  oom->mutable_cgroups(0)->set_max_bytes(100 * kMib);

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_THAT(diagnosis.details(),
              Contains("it is 1 level above the victim's own cgroup /kubepods/pod1/worker"));
  EXPECT_THAT(diagnosis.evidence(),
              Contains(Property(&v1::Evidence::statement,
                                "ruled out: limit of cgroup /kubepods/pod1/worker, usage 50 of 100 "
                                "MiB (50 %)")));
}

// Events come from agents and from files, too.
TEST(LimitDiagnosisTest, ALevelThatTheEventDoesNotHaveIsNotLookedUp) {
  v1::Event event = ContainerKill();
  for (const uint32_t level : {2U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    event.mutable_oom()->mutable_limit_hit()->set_level(level);
    event.mutable_oom()->mutable_decision()->set_inferred_level(level);

    EXPECT_THAT(Diagnose(event).verdict(), HasSubstr("200 MiB")) << level;
  }
}

TEST(LimitDiagnosisTest, TheNodeRanOutOfMemory) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->set_scope(v1::OOM_SCOPE_NODE);
  event.mutable_oom()->mutable_limit_hit()->Clear();
  event.mutable_oom()->mutable_limit_hit()->set_provenance(v1::PROVENANCE_AT_KILL);

  EXPECT_EQ(Diagnose(event).verdict(), "the node ran out of memory");
  EXPECT_EQ(Diagnose(event).confidence(), v1::CONFIDENCE_HIGH);

  event.mutable_oom()->mutable_limit_hit()->set_provenance(v1::PROVENANCE_INFERRED);
  EXPECT_EQ(Diagnose(event).verdict(), "the node probably ran out of memory");
}

TEST(LimitDiagnosisTest, DoesNotNameALimitThatIsNotKnown) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->clear_limit_hit();
  event.mutable_oom()->set_scope(v1::OOM_SCOPE_UNSPECIFIED);

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_EQ(diagnosis.verdict(), "a limit was hit; which one is not known");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_LOW);
  EXPECT_THAT(diagnosis.unknowns(), Contains("which limit fired: not recorded"));
}

TEST(LimitDiagnosisTest, CountsTheKillsOfTheWorkloadOnlyWhenItKnowsThem) {
  const v1::Diagnosis known =
      Diagnose(ContainerKill(), {.kills = 14, .first_time_ns = 5'000'000'000});
  EXPECT_EQ(known.workload_kills(), 14u);
  EXPECT_EQ(known.workload_first_kill_time().seconds(), 5);

  const v1::Diagnosis unknown = Diagnose(ContainerKill());
  EXPECT_EQ(unknown.workload_kills(), 0u);
  EXPECT_FALSE(unknown.has_workload_first_kill_time());
}

TEST(LimitDiagnosisTest, TheSameInputsGiveTheSameWords) {
  EXPECT_EQ(Diagnose(ContainerKill()).SerializeAsString(),
            Diagnose(ContainerKill()).SerializeAsString());
}

}  // namespace
}  // namespace oombox
