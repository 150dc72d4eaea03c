#include "agent/event/reconstruct.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Property;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr int64_t kWallNow = 1'760'000'100 * static_cast<int64_t>(kSecond);
constexpr uint64_t kBootNow = 1'000 * kSecond;

EventContext Context() {
  return {.node_name = "node-1",
          .boot_id = "b007",
          .memory_total_bytes = 1 << 30,
          .committed_wall_ns = kWallNow,
          .committed_boottime_ns = kBootNow};
}

LoggedKill Logged(uint32_t tgid = 42, uint64_t boottime_ns = 900 * kSecond) {
  return {.boottime_ns = boottime_ns,
          .log_time_us = boottime_ns / 1000,
          .tgid = tgid,
          .comm = "wor\nker",
          .uid = 0,
          .oom_score_adj = 0,
          .cgroup_limit = true,
          .constraint = LoggedKill::Constraint::kMemcg,
          .victim_cgroup = "/pods/pod1/a\\b",
          .fired_cgroup = "/pods/pod1",
          .usage_bytes = 4096,
          .limit_bytes = 8192,
          .anon_bytes = 4096};
}

v1::Event Captured(uint32_t tgid, uint64_t boottime_ns, const std::string& boot_id = "b007") {
  v1::Event event;
  event.set_event_id(TestId(tgid));
  event.set_revision(1);
  event.set_boottime_ns(boottime_ns);
  *event.mutable_event_time() = TimeUtil::NanosecondsToTimestamp(
      kWallNow - static_cast<int64_t>(kBootNow) + static_cast<int64_t>(boottime_ns));
  event.mutable_node()->set_boot_id(boot_id);
  event.mutable_node()->set_node_name("node-1");
  event.mutable_oom()->add_victims()->set_tgid(tgid);
  event.mutable_oom()->set_victims_total(1);
  return event;
}

TEST(ReconstructTest, SaysWhatTheLogSaid) {
  const v1::Event event = AssembleReconstructed(Logged(), Context());

  EXPECT_EQ(event.oom().quality().provenance(), v1::PROVENANCE_RECONSTRUCTED);
  EXPECT_TRUE(event.final());
  EXPECT_EQ(TimeUtil::TimestampToNanoseconds(event.event_time()),
            kWallNow - 100 * static_cast<int64_t>(kSecond));
  EXPECT_EQ(event.oom().victims(0).comm(), "wor\\x0aker");
  EXPECT_TRUE(event.oom().victims(0).has_uid());
  EXPECT_EQ(event.oom().victims(0).memory().anon_bytes(), 4096U);
  EXPECT_EQ(event.oom().scope(), v1::OOM_SCOPE_CGROUP);
  EXPECT_EQ(event.oom().limit_hit().level(), 1U);
  EXPECT_EQ(event.oom().limit_hit().limit_bytes(), 8192U);
  EXPECT_EQ(event.oom().limit_hit().provenance(), v1::PROVENANCE_RECONSTRUCTED);
  EXPECT_EQ(event.oom().cgroups(0).path(), "/pods/pod1/a\\\\b");
  EXPECT_EQ(event.oom().cgroups(1).usage_bytes(), 4096U);
  EXPECT_FALSE(event.oom().cgroups(0).has_usage_bytes());
  EXPECT_EQ(event.oom().cgroups(3).path(), "/");
  EXPECT_EQ(event.oom().workload(), "/pods/pod1/a\\\\b");
}

TEST(ReconstructTest, TakesNothingUnknownForZero) {
  LoggedKill kill = Logged();
  kill.uid.reset();
  kill.victim_cgroup.reset();
  kill.fired_cgroup.reset();

  const v1::OomEvent oom = AssembleReconstructed(kill, Context()).oom();

  EXPECT_FALSE(oom.victims(0).has_uid());
  EXPECT_FALSE(oom.victims(0).memory().has_file_bytes());
  EXPECT_FALSE(oom.victims(0).memory().has_swap_bytes());
  EXPECT_FALSE(oom.has_limit_hit());
  EXPECT_EQ(oom.cgroups_size(), 0);
  for (const char* field : {"limit_hit", "cgroups", "top_users", "trigger", "curve"}) {
    EXPECT_THAT(oom.quality().missing(), Contains(Property(&v1::MissingField::field, field)));
  }
}

TEST(ReconstructTest, BlamesTheMachineOnlyWhenTheLogDoes) {
  LoggedKill kill = Logged();
  kill.cgroup_limit = false;
  kill.fired_cgroup.reset();
  for (const auto constraint :
       {std::optional<LoggedKill::Constraint>(), std::optional(LoggedKill::Constraint::kCpuset),
        std::optional(LoggedKill::Constraint::kMemoryPolicy)}) {
    kill.constraint = constraint;
    EXPECT_EQ(AssembleReconstructed(kill, Context()).oom().scope(), v1::OOM_SCOPE_UNSPECIFIED);
  }
  kill.constraint = LoggedKill::Constraint::kNone;

  const v1::OomEvent oom = AssembleReconstructed(kill, Context()).oom();

  EXPECT_EQ(oom.scope(), v1::OOM_SCOPE_NODE);
  EXPECT_EQ(oom.limit_hit().limit_bytes(), 1U << 30);
  EXPECT_FALSE(oom.limit_hit().has_level());
}

TEST(ReconstructTest, MakesTheSameEventOfTheSameLineWhenTheClocksMoved) {
  LoggedKill later = Logged();
  later.boottime_ns += 5 * kSecond;  // a suspend between the two readings

  EXPECT_EQ(AssembleReconstructed(Logged(), Context()).event_id(),
            AssembleReconstructed(later, Context()).event_id());
  EXPECT_NE(AssembleReconstructed(Logged(42), Context()).event_id(),
            AssembleReconstructed(Logged(43), Context()).event_id());
}

TEST(ReconstructTest, FitsAStoreHoweverDeepTheCgroup) {
  LoggedKill kill = Logged();
  kill.victim_cgroup = "";
  for (int i = 0; i < 2000; ++i) {
    *kill.victim_cgroup += "/\x01";
  }
  kill.fired_cgroup = kill.victim_cgroup;

  EXPECT_TRUE(CheckStorable(AssembleReconstructed(kill, Context())).has_value());
}

TEST(ReconstructTest, KnowsAKillByProcessAndTime) {
  const v1::Event event = Captured(42, 900 * kSecond);

  EXPECT_TRUE(IsKillOf(event, 42, 901 * kSecond));
  EXPECT_TRUE(IsKillOf(event, 42, 899 * kSecond));
  EXPECT_FALSE(IsKillOf(event, 43, 900 * kSecond));
  EXPECT_FALSE(IsKillOf(event, 42, 903 * kSecond));
}

TEST(ReconstructTest, AllowsForTheDriftOfTheLogsClock) {
  const uint64_t boottime_ns = 1'000'000 * kSecond;  // 100 ppm are 100 s

  EXPECT_TRUE(IsKillOf(Captured(42, boottime_ns), 42, boottime_ns + 90 * kSecond));
  EXPECT_FALSE(IsKillOf(Captured(42, boottime_ns), 42, boottime_ns + 110 * kSecond));
}

class NotInStoreTest : public ::testing::Test {
 protected:
  NotInStoreTest() { store_ = std::move(*EventStore::Open({.path = dir_.File("events.db")})); }

  void Put(const v1::Event& event) {
    ASSERT_TRUE(store_->Put(std::span(&event, 1), std::nullopt).has_value());
  }
  std::vector<LoggedKill> Missed(std::vector<LoggedKill> logged) {
    return *NotInStore(std::move(logged), Context(), *store_);
  }

  TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(NotInStoreTest, LeavesOutWhatWasCaptured) {
  Put(Captured(42, 900 * kSecond));

  EXPECT_THAT(Missed({Logged(41), Logged(42), Logged(43)}),
              ElementsAre(Field(&LoggedKill::tgid, 41), Field(&LoggedKill::tgid, 43)));
}

TEST_F(NotInStoreTest, LeavesOutFurtherVictims) {
  v1::Event event = Captured(42, 900 * kSecond);
  event.mutable_oom()->add_victims()->set_tgid(43);
  Put(event);

  EXPECT_TRUE(Missed({Logged(43)}).empty());
}

TEST_F(NotInStoreTest, LeavesOutMembersOfAGroupTooBigToBeListed) {
  v1::Event event = Captured(42, 900 * kSecond);
  event.mutable_oom()->set_victims_total(2);
  Put(event);
  LoggedKill member = Logged(43);
  member.group_member = true;

  EXPECT_TRUE(Missed({member}).empty());
  EXPECT_EQ(Missed({Logged(43)}).size(), 1U);
}

TEST_F(NotInStoreTest, KeepsAKillOfTheSameIdAtAnotherTimeOrBoot) {
  Put(Captured(42, 800 * kSecond));
  Put(Captured(43, 900 * kSecond, "another"));

  EXPECT_EQ(Missed({Logged(42), Logged(43)}).size(), 2U);
}

TEST_F(NotInStoreTest, LeavesOutWhatWasReconstructedBefore) {
  Put(AssembleReconstructed(Logged(42), Context()));

  EXPECT_TRUE(Missed({Logged(42)}).empty());
}

TEST_F(NotInStoreTest, LooksThroughManyPages) {
  Put(Captured(42, 850 * kSecond));
  std::vector<v1::Event> others;
  for (uint32_t i = 0; i < 500; ++i) {
    others.push_back(Captured(1000 + i, 900 * kSecond + i * 1'000'000));
  }
  ASSERT_TRUE(store_->Put(others, std::nullopt).has_value());

  EXPECT_TRUE(Missed({Logged(42, 850 * kSecond), Logged(1499, 900 * kSecond)}).empty());
}

}  // namespace
}  // namespace oombox
