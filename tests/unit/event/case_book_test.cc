#include "agent/event/case_book.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

constexpr uint64_t kNow = 1'000'000'000'000;

KillRecord Kill(uint32_t tgid, bool group, bool member) {
  KillRecord kill;
  kill.episode_tgid = 42;
  kill.episode_start_boottime_ns = 7;
  kill.kills_group = group;
  kill.group_member = member;
  kill.victim.tgid = tgid;
  kill.victim.start_boottime_ns = 7;
  kill.levels = {{.id = 3, .name = "a", .oom_group = group}};
  return kill;
}

EventContext Context() { return {.boot_id = "b007"}; }

std::optional<v1::Event> Nothing(const std::string& /*id*/) { return std::nullopt; }

TEST(CaseBookTest, MakesASingleKillFinalAtOnce) {
  CaseBook cases(Nothing);

  const auto event = cases.Add(Kill(42, false, false), Context(), kNow);

  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(event->final());
  EXPECT_EQ(event->revision(), 1U);
  EXPECT_EQ(cases.NextDeadline(), std::nullopt);
}

TEST(CaseBookTest, RevisesAGroupKillWithEachVictimAndClosesIt) {
  CaseBook cases(Nothing);

  const auto first = cases.Add(Kill(42, true, false), Context(), kNow);
  const auto second = cases.Add(Kill(43, true, true), Context(), kNow + 1);
  EXPECT_TRUE(cases.Close(kNow + 2).empty());
  const auto closed = cases.Close(kNow + 1 + CaseBook::kGroupWaitNs);

  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->final());
  EXPECT_EQ(second->revision(), 2U);
  EXPECT_EQ(second->event_id(), first->event_id());
  EXPECT_EQ(second->oom().victims_size(), 2);
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_TRUE(closed[0].final());
  EXPECT_EQ(closed[0].revision(), 3U);
}

TEST(CaseBookTest, SaysNothingTwice) {
  CaseBook cases(Nothing);
  cases.Add(Kill(42, true, false), Context(), kNow);

  EXPECT_EQ(cases.Add(Kill(42, true, false), Context(), kNow), std::nullopt);
}

TEST(CaseBookTest, GoesOnWithACaseOfAnEarlierRun) {
  v1::Event stored;
  CaseBook before(Nothing);
  stored = *before.Add(Kill(42, true, false), Context(), kNow);
  CaseBook after([&](const std::string& id) {
    return id == stored.event_id() ? std::optional(stored) : std::nullopt;
  });

  const auto event = after.Add(Kill(43, true, true), Context(), kNow + 5);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->revision(), 2U);
  EXPECT_EQ(event->oom().victims_size(), 2);
}

TEST(CaseBookTest, RecognisesAKillThatIsStoredAlready) {
  CaseBook before(Nothing);
  const v1::Event stored = *before.Add(Kill(42, false, false), Context(), kNow);
  CaseBook after([&](const std::string&) { return std::optional(stored); });

  EXPECT_EQ(after.Add(Kill(42, false, false), Context(), kNow), std::nullopt);
  EXPECT_EQ(after.NextDeadline(), std::nullopt);
}

TEST(CaseBookTest, ClosesAReopenedCase) {
  CaseBook before(Nothing);
  const v1::Event stored = *before.Add(Kill(42, true, false), Context(), kNow);
  CaseBook after(Nothing);

  after.Reopen(stored, kNow);

  EXPECT_EQ(after.Close(kNow + CaseBook::kGroupWaitNs).size(), 1U);
}

}  // namespace
}  // namespace oombox
