#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/diagnose/fixture.h"

namespace oombox {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

void AddMissing(v1::Event* event, const std::string& field, const std::string& reason) {
  v1::MissingField* missing = event->mutable_oom()->mutable_quality()->add_missing();
  missing->set_field(field);
  missing->set_reason(reason);
}

TEST(UnknownsTest, ListsWhatWasNotRecorded) {
  const v1::Diagnosis diagnosis = Diagnose(ContainerKill());

  EXPECT_THAT(diagnosis.unknowns(), Contains("which code brought the memory in: not recorded"));
  EXPECT_THAT(diagnosis.unknowns(), Contains("how the memory grew before the kill: not recorded"));
  EXPECT_THAT(diagnosis.unknowns(), Contains("container, pod and owner: not known"));
}

TEST(UnknownsTest, DoesNotListWhatIsThere) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->add_top_allocators();
  event.mutable_oom()->mutable_curve()->add_points();
  event.mutable_oom()->mutable_container()->set_container_id("abc");
  event.mutable_oom()->mutable_container()->set_pod_name("ocr-0");

  EXPECT_EQ(Diagnose(event).unknowns_size(), 0);
}

TEST(UnknownsTest, MissesTheNamesWhereOnlyIdsAreKnown) {
  v1::Event event = ContainerKill();
  event.mutable_oom()->mutable_container()->set_pod_uid("4c9f1974");

  EXPECT_THAT(Diagnose(event).unknowns(),
              Contains("names of container, pod and owner: not known, only their ids"));
}

TEST(UnknownsTest, GivesTheReasonOfTheEventOnce) {
  v1::Event event = ContainerKill();
  AddMissing(&event, "curve", "the pressure watcher is off");
  AddMissing(&event, "victims[0].cmdline", "not captured");

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_THAT(diagnosis.unknowns(),
              Contains("how the memory grew before the kill: not recorded (the pressure watcher is "
                       "off)"));
  EXPECT_THAT(diagnosis.unknowns(), Contains("victims[0].cmdline: not captured"));
  EXPECT_THAT(diagnosis.unknowns(), Each(Not(HasSubstr("curve:"))));
}

TEST(UnknownsTest, TakesTheKernelLogsWordForTheLimit) {
  v1::Event event = ContainerKill();
  v1::OomEvent* oom = event.mutable_oom();
  oom->mutable_quality()->set_provenance(v1::PROVENANCE_RECONSTRUCTED);
  oom->mutable_limit_hit()->set_provenance(v1::PROVENANCE_RECONSTRUCTED);
  oom->mutable_limit_hit()->clear_usage_bytes();
  oom->mutable_limit_hit()->clear_limit_bytes();
  oom->clear_trigger();
  oom->clear_top_users();
  oom->clear_ranking();
  oom->mutable_victims(0)->clear_rank();
  AddMissing(&event, "top_users", "the kernel log does not say");

  const v1::Diagnosis diagnosis = Diagnose(event);

  EXPECT_EQ(diagnosis.verdict(), "limit of cgroup /kubepods/pod1/worker hit");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_HIGH);
  EXPECT_THAT(diagnosis.details(), Contains("victim was python3[31] with 182 MiB"));
  EXPECT_THAT(diagnosis.unknowns(), Each(Not(HasSubstr("which limit fired"))));
  EXPECT_THAT(diagnosis.unknowns(), Contains("who else held memory: not recorded (the kernel log "
                                             "does not say)"));
}

TEST(UnknownsTest, IsBounded) {
  v1::Event event = ContainerKill();
  for (int i = 0; i < 100; ++i) {
    AddMissing(&event, "field" + std::to_string(i), "why");
  }

  EXPECT_LT(Diagnose(event).unknowns_size(), 30);
}

}  // namespace
}  // namespace oombox
