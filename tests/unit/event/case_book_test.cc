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

Result<std::optional<v1::Event>> Nothing(const std::string& /*id*/) {
  return std::optional<v1::Event>();
}

// What Add says of a record when the store can tell.
std::optional<v1::Event> Added(CaseBook& cases, const KillRecord& kill, uint64_t now = kNow) {
  auto added = cases.Add(kill, Context(), now);
  EXPECT_TRUE(added.has_value());
  return added ? *added : std::nullopt;
}

TEST(CaseBookTest, MakesASingleKillFinalAtOnce) {
  CaseBook cases(Nothing);

  const auto event = Added(cases, Kill(42, false, false), kNow);

  ASSERT_TRUE(event.has_value());
  EXPECT_TRUE(event->final());
  EXPECT_EQ(event->revision(), 1U);
  EXPECT_EQ(cases.NextDeadline(), std::nullopt);
}

TEST(CaseBookTest, RevisesAGroupKillWithEachVictimAndClosesIt) {
  CaseBook cases(Nothing);

  const auto first = Added(cases, Kill(42, true, false), kNow);
  const auto second = Added(cases, Kill(43, true, true), kNow + 1);
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
  Added(cases, Kill(42, true, false), kNow);

  EXPECT_EQ(Added(cases, Kill(42, true, false), kNow), std::nullopt);
}

TEST(CaseBookTest, GoesOnWithACaseOfAnEarlierRun) {
  v1::Event stored;
  CaseBook before(Nothing);
  stored = *Added(before, Kill(42, true, false), kNow);
  CaseBook after([&](const std::string& id) {
    return Result<std::optional<v1::Event>>(id == stored.event_id() ? std::optional(stored)
                                                                    : std::nullopt);
  });

  const auto event = Added(after, Kill(43, true, true), kNow + 5);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->revision(), 2U);
  EXPECT_EQ(event->oom().victims_size(), 2);
}

TEST(CaseBookTest, RecognisesAKillThatIsStoredAlready) {
  CaseBook before(Nothing);
  const v1::Event stored = *Added(before, Kill(42, false, false), kNow);
  CaseBook after(
      [&](const std::string&) { return Result<std::optional<v1::Event>>(std::optional(stored)); });

  EXPECT_EQ(Added(after, Kill(42, false, false), kNow), std::nullopt);
  EXPECT_EQ(after.NextDeadline(), std::nullopt);
}

TEST(CaseBookTest, BeginsNothingWhileTheStoreCannotSayWhatIsThere) {
  bool works = false;
  CaseBook before(Nothing);
  const v1::Event stored = *Added(before, Kill(42, true, false));
  CaseBook after([&](const std::string&) -> Result<std::optional<v1::Event>> {
    if (!works) {
      return MakeError(ErrorCode::kUnavailable, "the disk is away");
    }
    return std::optional(stored);
  });

  const auto refused = after.Add(Kill(43, true, true), Context(), kNow);
  works = true;
  const auto event = Added(after, Kill(43, true, true));

  EXPECT_FALSE(refused.has_value());
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->revision(), 2U);
  EXPECT_EQ(event->oom().victims_size(), 2);
}

TEST(CaseBookTest, ClosesAReopenedCase) {
  CaseBook before(Nothing);
  const v1::Event stored = *Added(before, Kill(42, true, false), kNow);
  CaseBook after(Nothing);

  after.Reopen(stored, kNow);

  EXPECT_EQ(after.Close(kNow + CaseBook::kGroupWaitNs).size(), 1U);
}

}  // namespace
}  // namespace oombox
