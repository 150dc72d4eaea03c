#include <gmock/gmock.h>

#include <functional>

#include "tests/unit/diagnose/fixture.h"

namespace oombox {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A container at 82 % of 512 MiB, most of which the kernel cannot take back; it grows.
v1::Event NearItsLimit() {
  v1::Event event;
  v1::PressureEvent* pressure = event.mutable_pressure();
  pressure->set_state(v1::PressureEvent::STATE_WARNING);
  pressure->set_previous_state(v1::PressureEvent::STATE_OK);
  pressure->mutable_previous_since()->set_seconds(1'795'403'921);
  pressure->mutable_previous_since()->set_nanos(318'000'000);
  pressure->set_cause(v1::PressureEvent::CAUSE_WORKING_SET);
  pressure->mutable_container()->set_container_name("web");
  pressure->mutable_cgroup()->set_path("/kubepods/pod1/web");
  pressure->mutable_cgroup()->set_usage_bytes(430 * kMib);
  pressure->mutable_cgroup()->set_max_bytes(512 * kMib);
  pressure->set_working_set_bytes(420 * kMib);
  pressure->set_unreclaimable_bytes(400 * kMib);
  pressure->mutable_pressure()->set_some_avg10_percent(0);
  pressure->mutable_pressure()->set_full_avg10_percent(0);
  pressure->mutable_trend()->set_growth_bytes_per_second(34 * 1024);
  pressure->mutable_trend()->mutable_time_to_limit()->set_seconds(2700);
  pressure->mutable_trend()->set_confidence(v1::CONFIDENCE_HIGH);
  return event;
}

v1::Diagnosis DiagnoseWith(const std::function<void(v1::PressureEvent*)>& change) {
  v1::Event event = NearItsLimit();
  change(event.mutable_pressure());
  return Diagnose(event);
}

// "+ statement", "- statement".
std::vector<std::string> Evidence(const v1::Diagnosis& diagnosis) {
  std::vector<std::string> out;
  for (const v1::Evidence& evidence : diagnosis.evidence()) {
    out.push_back((evidence.weight() == v1::Evidence::WEIGHT_FOR ? "+ " : "- ") +
                  evidence.statement());
  }
  return out;
}

void AddMissing(const char* field, const char* reason, v1::PressureEvent* pressure) {
  v1::MissingField* missing = pressure->add_missing();
  missing->set_field(field);
  missing->set_reason(reason);
}

TEST(PressureDiagnosisTest, NamesWhoIsNearItsLimitAndHowNear) {
  const v1::Diagnosis diagnosis = Diagnose(NearItsLimit());

  EXPECT_EQ(diagnosis.verdict(),
            "warning: container web is near its limit (working set 82 % of 512 MiB)");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_HIGH);
  EXPECT_THAT(diagnosis.details(), ElementsAre("before that: ok since 2026-11-23T03:18:41Z"));
  EXPECT_THAT(
      Evidence(diagnosis),
      ElementsAre("+ working set 420 of 512 MiB (82 %)",
                  "+ 400 of 512 MiB (78 %) cannot be reclaimed without swap",
                  "+ it grows by 120 MiB per hour: the limit is 45 min away if that goes on"));
  EXPECT_THAT(diagnosis.unknowns(), IsEmpty());
}

TEST(PressureDiagnosisTest, TellsPageCacheFromWhatCannotBeTakenBack) {
  const v1::Diagnosis diagnosis = DiagnoseWith(
      [](v1::PressureEvent* pressure) { pressure->set_unreclaimable_bytes(100 * kMib); });

  EXPECT_EQ(diagnosis.verdict(),
            "warning: container web is near its limit (working set 82 % of 512 MiB), mostly with "
            "page cache that can be reclaimed");
  EXPECT_THAT(Evidence(diagnosis),
              Contains("- 100 of 512 MiB (20 %) cannot be reclaimed without swap; the rest the "
                       "kernel takes back before it kills"));
}

TEST(PressureDiagnosisTest, GoesByTheUsageWhereTheWorkingSetIsUnknown) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->clear_working_set_bytes();
    pressure->clear_container();
  });

  EXPECT_EQ(diagnosis.verdict(),
            "warning: cgroup /kubepods/pod1/web is near its limit (usage 84 % of 512 MiB)");
  EXPECT_EQ(diagnosis.confidence(), v1::CONFIDENCE_MEDIUM);
}

TEST(PressureDiagnosisTest, InventsNoShareWhereNothingIsKnown) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->clear_working_set_bytes();
    pressure->clear_unreclaimable_bytes();
    pressure->mutable_cgroup()->clear_usage_bytes();
    pressure->clear_trend();
  });

  EXPECT_EQ(diagnosis.verdict(), "warning: container web is near its limit");
  EXPECT_THAT(diagnosis.evidence(), IsEmpty());
}

TEST(PressureDiagnosisTest, SaysWhoseTasksStandStill) {
  const auto stalled = [](double some, double full) {
    return DiagnoseWith([&](v1::PressureEvent* pressure) {
      pressure->set_state(v1::PressureEvent::STATE_CRITICAL);
      pressure->set_cause(v1::PressureEvent::CAUSE_STALLS);
      pressure->mutable_pressure()->set_some_avg10_percent(some);
      pressure->mutable_pressure()->set_full_avg10_percent(full);
    });
  };

  EXPECT_EQ(stalled(60, 45).verdict(),
            "critical: the tasks of container web stand still waiting for memory (PSI full 45 %)");
  EXPECT_EQ(stalled(60, 0.4).verdict(),
            "critical: some tasks of container web wait for memory (PSI some 60 %)");
  EXPECT_THAT(stalled(60, 45).details(), Contains(HasSubstr("no kill needs to follow")));
  EXPECT_THAT(Evidence(stalled(60, 45)), Not(Contains(HasSubstr("PSI full"))));
}

TEST(PressureDiagnosisTest, GoesByReclaimWhereThereIsNoPsi) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->set_cause(v1::PressureEvent::CAUSE_STALLS);
    pressure->mutable_pressure()->Clear();
    pressure->mutable_pressure()->mutable_reclaim()->set_avg10_percent(31);
  });

  EXPECT_EQ(diagnosis.verdict(),
            "warning: the tasks of container web reclaim memory 31 % of the time");
  EXPECT_THAT(diagnosis.unknowns(), IsEmpty());
}

TEST(PressureDiagnosisTest, SaysStallsBesideANearLimit) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->mutable_pressure()->set_full_avg10_percent(45);
  });

  EXPECT_THAT(Evidence(diagnosis),
              Contains("+ the tasks of container web stand still waiting for memory (PSI full 45 "
                       "%)"));
}

TEST(PressureDiagnosisTest, SaysThatWhatWasRemovedIsOver) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->set_state(v1::PressureEvent::STATE_OK);
    pressure->set_previous_state(v1::PressureEvent::STATE_CRITICAL);
    pressure->set_cause(v1::PressureEvent::CAUSE_REMOVED);
    pressure->clear_pressure();
    AddMissing("pressure.some_avg10_percent", "the kernel's PSI is off", pressure);
    AddMissing("pressure.reclaim", "no reclaim was seen", pressure);
  });

  EXPECT_EQ(diagnosis.verdict(), "container web was removed: its memory pressure is over");
  EXPECT_THAT(diagnosis.details(), ElementsAre("before that: critical since 2026-11-23T03:18:41Z"));
  EXPECT_THAT(diagnosis.evidence(), IsEmpty());
  EXPECT_THAT(diagnosis.unknowns(), IsEmpty());
}

TEST(PressureDiagnosisTest, SaysThatALimitWasChanged) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->set_state(v1::PressureEvent::STATE_OK);
    pressure->set_cause(v1::PressureEvent::CAUSE_LIMIT_CHANGED);
    pressure->mutable_cgroup()->set_max_bytes(4096 * kMib);
  });

  EXPECT_EQ(diagnosis.verdict(), "the limit of container web was changed: it is not near any more");
  EXPECT_THAT(Evidence(diagnosis),
              Contains("- it grows by 120 MiB per hour: the limit is 45 min away if that goes on"))
      << "what grows on speaks against the end";
}

TEST(PressureDiagnosisTest, SaysThatPressureIsOver) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->set_state(v1::PressureEvent::STATE_OK);
    pressure->mutable_trend()->set_growth_bytes_per_second(-4096);
    pressure->mutable_trend()->clear_time_to_limit();
  });

  EXPECT_EQ(diagnosis.verdict(), "the memory pressure of container web is over");
  EXPECT_THAT(Evidence(diagnosis), Contains("+ what its programs hold does not grow"));
}

TEST(PressureDiagnosisTest, TellsTheNodeFromItsCgroups) {
  const v1::Diagnosis diagnosis = DiagnoseWith([](v1::PressureEvent* pressure) {
    pressure->clear_container();
    pressure->set_whole_node(true);
    pressure->mutable_cgroup()->set_path("/");
  });

  EXPECT_EQ(diagnosis.verdict(),
            "warning: the node's memory is nearly used up (working set 82 % of 512 MiB)");
}

TEST(PressureDiagnosisTest, NamesTheKillThatFollowed) {
  const v1::Diagnosis diagnosis = DiagnoseWith(
      [](v1::PressureEvent* pressure) { pressure->set_kill_event_id("4k7qzd0123456789"); });

  EXPECT_THAT(diagnosis.details(), Contains("an OOM kill followed: event 4k7qzd0123456789"));
}

TEST(PressureDiagnosisTest, SaysOnceThatNobodyKnowsWhetherTasksWait) {
  const auto blind = [](bool named) {
    return DiagnoseWith([&](v1::PressureEvent* pressure) {
      pressure->clear_pressure();
      if (named) {
        AddMissing("pressure.some_avg10_percent", "the kernel's PSI is off", pressure);
      }
    });
  };

  EXPECT_THAT(blind(true).unknowns(),
              ElementsAre("pressure.some_avg10_percent: the kernel's PSI is off"));
  EXPECT_THAT(blind(false).unknowns(),
              ElementsAre("whether its tasks wait for memory: no PSI, no reclaim measured"));
}

TEST(PressureDiagnosisTest, WritesGrowthAndTimeInUnitsThatFit) {
  const auto growth = [](double rate, int64_t seconds) {
    return Evidence(DiagnoseWith([&](v1::PressureEvent* pressure) {
             pressure->mutable_trend()->set_growth_bytes_per_second(rate);
             pressure->mutable_trend()->mutable_time_to_limit()->set_seconds(seconds);
           }))
        .back();
  };

  EXPECT_THAT(growth(12.0 * kMib, 7), HasSubstr("by 12 MiB per second: the limit is 7 s away"));
  EXPECT_THAT(growth(0.5 * kMib, 119), HasSubstr("by 30 MiB per minute: the limit is 119 s away"));
  EXPECT_THAT(growth(10'000, 7199), HasSubstr("by 34 MiB per hour: the limit is 119 min away"));
  EXPECT_THAT(growth(1e300, 7200), HasSubstr("per second: the limit is 2 h away"));
}

}  // namespace
}  // namespace oombox
