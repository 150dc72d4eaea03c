#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnose/fixture.h"

namespace oombox {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::Property;

// The victim of ContainerKill, with a hog that the kernel spared.
v1::Event InnocentVictim() {
  v1::Event event = ContainerKill();
  v1::OomEvent* oom = event.mutable_oom();
  oom->mutable_victims(0)->set_rank(2);
  oom->mutable_victims(0)->set_oom_score_adj(900);
  oom->clear_top_users();
  v1::MemoryUser* hog = oom->add_top_users();
  hog->set_tgid(44);
  hog->set_comm("stress-ng");
  hog->set_oom_score_adj(-998);
  hog->mutable_memory()->set_anon_bytes(512 * kMib);
  return event;
}

TEST(VictimDiagnosisTest, SaysHowMuchTheLargestProcessHeld) {
  EXPECT_THAT(Diagnose(ContainerKill()).details(),
              Contains("victim python3[31] was the largest process: 182 of 196 MiB (93 %)"));
}

TEST(VictimDiagnosisTest, ClaimsNoTotalThatItDoesNotHave) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_ranking()->clear_visited_total();

  EXPECT_THAT(Diagnose(event).details(),
              Contains("victim python3[31] was the largest process: 182 MiB"));
}

TEST(VictimDiagnosisTest, ClaimsNoMoreThanWasLookedAt) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_ranking()->set_truncated(true);
  event.mutable_oom()->mutable_ranking()->set_processes_visited(500);

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_THAT(diagnosis.details(), Contains(HasSubstr("the largest process of those looked at")));
  EXPECT_THAT(diagnosis.unknowns(),
              Contains("whether a bigger process exists: only 500 were looked at"));
}

TEST(VictimDiagnosisTest, NamesTheHogThatWasSpared) {
  const v1::Diagnosis diagnosis = Diagnose(InnocentVictim());

  const char* sentence =
      "victim python3[31] (182 MiB) was NOT the largest: stress-ng[44] with 512 MiB ranks first; "
      "its oom_score_adj is -998, the victim's 900";
  EXPECT_THAT(diagnosis.details(), Contains(sentence));
  EXPECT_THAT(diagnosis.evidence(),
              Contains(AllOf(Property(&v1::Evidence::statement, sentence),
                             Property(&v1::Evidence::weight, v1::Evidence::WEIGHT_AGAINST))));
}

TEST(VictimDiagnosisTest, DoesNotTakeAReusedPidForTheVictim) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_victims(0)->set_rank(0);
  event.mutable_oom()->mutable_top_users(0)->set_start_boottime_ns(8);

  EXPECT_THAT(Diagnose(event).details(), Contains(HasSubstr("was NOT the largest")));
}

TEST(VictimDiagnosisTest, MakesNoComparisonWithoutARanking) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_victims(0)->set_rank(0);
  event.mutable_oom()->clear_top_users();

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_THAT(diagnosis.details(), Contains("victim was python3[31] with 182 MiB"));
  EXPECT_THAT(diagnosis.details(), Each(Not(HasSubstr("largest"))));
  EXPECT_THAT(diagnosis.unknowns(), Contains("who else held memory: not recorded"));
}

TEST(VictimDiagnosisTest, TellsTriggerAndVictimApart) {
  v1::Event event = ContainerKill();
  EXPECT_THAT(Diagnose(event).details(),
              Contains("the victim itself asked for the memory that was not there"));

  event.mutable_oom()->mutable_trigger()->set_tgid(9);
  event.mutable_oom()->mutable_trigger()->set_comm("nginx");
  EXPECT_THAT(Diagnose(event).details(), Contains("trigger was nginx[9], not the victim"));

  event.mutable_oom()->clear_trigger();
  EXPECT_THAT(Diagnose(event).details(), Each(Not(HasSubstr("asked"))));
}

TEST(VictimDiagnosisTest, CountsTheWholeGroup) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->set_victims_total(3);
  event.mutable_oom()->add_victims()->set_role(v1::VICTIM_ROLE_GROUP_MEMBER);

  EXPECT_THAT(Diagnose(event).details(),
              Contains("3 processes were killed: memory.oom.group kills the whole cgroup"));
}

TEST(VictimDiagnosisTest, SaysThatTheVictimIsNotKnown) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->clear_victims();

  EXPECT_THAT(Diagnose(event).unknowns(), Contains("who was killed: no victim was recorded"));
}

}  // namespace
}  // namespace oombox
