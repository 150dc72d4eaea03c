#include "agent/event/pressure.h"

#include <gtest/gtest.h>

#include "agent/event/curve.h"

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

EventContext Context() {
  return {.node_name = "node",
          .boot_id = "boot",
          .committed_wall_ns = 2'000'000'000'000'000'000,
          .committed_boottime_ns = 1000 * kSecond};
}

PressureChange Change() {
  return {.now = {.cgroup = {.id = 7, .path = "/a"},
                  .state = PressureState::kCritical,
                  .sample = {.boottime_ns = 990 * kSecond,
                             .usage_bytes = 95,
                             .limit_bytes = 100,
                             .working_set_bytes = 93},
                  .trend = MemoryTrend{.growth_bytes_per_second = 1,
                                       .seconds_to_limit = 7,
                                       .confidence = TrendConfidence::kHigh}},
          .previous = PressureState::kWarning,
          .cause = PressureCause::kWorkingSet,
          .boottime_ns = 990 * kSecond,
          .previous_since_ns = 980 * kSecond};
}

class History final : public HistorySource {
 public:
  std::optional<MemoryHistory> Before(uint64_t id, uint64_t /*before*/) const override {
    if (id != known) {
      return std::nullopt;
    }
    return MemoryHistory{.cgroup = {.id = id, .path = "/a"},
                         .points = {{.boottime_ns = 900 * kSecond, .usage_bytes = 10},
                                    {.boottime_ns = 980 * kSecond, .usage_bytes = 80}},
                         .gaps = {{900 * kSecond, 980 * kSecond, "the agent did not run"}}};
  }
  std::optional<uint64_t> AlarmedSince(uint64_t /*id*/, uint64_t /*before*/) const override {
    return 990 * kSecond;
  }
  uint64_t known = 7;
};

v1::Event Kill() {
  v1::Event event;
  event.set_boottime_ns(995 * kSecond);
  event.mutable_event_time()->set_seconds(5000);
  event.mutable_node()->set_boot_id("boot");
  event.mutable_oom()->mutable_limit_hit()->set_cgroup_id(7);
  v1::CgroupLevel* level = event.mutable_oom()->add_cgroups();
  level->set_id(7);
  level->set_usage_bytes(100);
  level->set_max_bytes(100);
  return event;
}

TEST(PressureEventTest, SaysWhatTheStateWasMadeOfAndNamesWhatIsUnknown) {
  const v1::Event event = AssemblePressure(Change(), Context(), nullptr);
  EXPECT_EQ(event.event_id(), PressureEventId("boot", 7, 990 * kSecond));
  EXPECT_EQ(event.pressure().state(), v1::PressureEvent::STATE_CRITICAL);
  EXPECT_EQ(event.pressure().previous_state(), v1::PressureEvent::STATE_WARNING);
  EXPECT_EQ(event.pressure().working_set_bytes(), 93U);
  EXPECT_FALSE(event.pressure().has_unreclaimable_bytes());
  EXPECT_FALSE(event.pressure().cgroup().has_events());
  EXPECT_EQ(event.pressure().trend().time_to_limit().seconds(), 7);
  EXPECT_EQ(event.event_time().seconds() - event.pressure().previous_since().seconds(), 10);
  EXPECT_EQ(event.pressure().missing_size(), 2);
}

TEST(PressureEventTest, WhatIsToldAgainNamesWhatTheCurveDoesNotHave) {
  PressureChange change = Change();
  change.told_again = true;
  change.now.sample.anon_bytes = 90;
  change.now.sample.some_avg10 = 0;
  const v1::Event event = AssemblePressure(change, Context(), nullptr);
  std::vector<std::string> fields;
  for (const v1::MissingField& missing : event.pressure().missing()) {
    fields.push_back(missing.field());
    EXPECT_NE(missing.reason().find("ended before it was stored"), std::string::npos);
  }
  EXPECT_EQ(fields, (std::vector<std::string>{"cgroup.high_bytes", "cgroup.events",
                                              "unreclaimable_bytes", "pressure.some_total",
                                              "pressure.full_total", "pressure.reclaim"}));
}

TEST(PressureEventTest, ANameOfAnyBytesIsText) {
  PressureChange change = Change();
  change.now.cgroup.path = "/user.slice/\xff\x1b[2J.service";
  const v1::Event event = AssemblePressure(change, Context(), nullptr);
  EXPECT_EQ(event.pressure().workload().find_first_of("\xff\x1b"), std::string::npos);
  v1::Event again;
  EXPECT_TRUE(again.ParseFromString(event.SerializeAsString()));
}

TEST(PressureEventTest, AKillGetsTheCurveThatEndsWithItsOwnReading) {
  v1::Event event = Kill();
  const History history;
  AddHistory(&history, event);
  const v1::MemoryCurve& curve = event.oom().curve();
  ASSERT_EQ(curve.points_size(), 3);
  EXPECT_EQ(curve.points(0).time().seconds(), 5000 - 95);
  EXPECT_EQ(curve.points(2).time().seconds(), 5000);
  EXPECT_EQ(curve.points(2).provenance(), v1::PROVENANCE_AT_KILL);
  EXPECT_EQ(curve.points(2).usage_bytes(), 100U);
  EXPECT_EQ(curve.gaps(0).reason(), "the agent did not run");
  EXPECT_EQ(event.oom().pressure_event_id(), PressureEventId("boot", 7, 990 * kSecond));
}

TEST(PressureEventTest, AKillOfACgroupThatWasNotReadSaysSo) {
  v1::Event event = Kill();
  History history;
  history.known = 1;
  AddHistory(&history, event);
  EXPECT_FALSE(event.oom().has_curve());
  ASSERT_EQ(event.oom().quality().missing_size(), 1);
  EXPECT_EQ(event.oom().quality().missing(0).field(), "curve");
}

TEST(PressureEventTest, ANodeThatIsFullHasTheNodesCurve) {
  v1::Event event = Kill();
  event.mutable_oom()->clear_limit_hit();
  event.mutable_oom()->set_scope(v1::OOM_SCOPE_NODE);
  History history;
  history.known = 0;
  AddHistory(&history, event);
  EXPECT_FALSE(event.oom().curve().has_cgroup_id());
  EXPECT_EQ(event.oom().curve().points_size(), 2);
}

}  // namespace
}  // namespace oombox
