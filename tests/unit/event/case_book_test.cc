#include "agent/event/case_book.h"

#include <gtest/gtest.h>

#include <algorithm>

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

KillRecord KillOfNow(uint32_t tgid) {
  KillRecord kill = Kill(tgid, false, false);
  kill.version = 2;
  return kill;
}

CmdlineRecord CmdlineOf(uint32_t tgid) {
  return {.tgid = tgid,
          .start_boottime_ns = 7,
          .episode_tgid = 42,
          .episode_start_boottime_ns = 7,
          .arguments = {"python3", "x.py"}};
}

TEST(CaseBookTest, IsFinalWithTheCommandLineOfASingleVictim) {
  CaseBook cases(Nothing);

  const auto first = Added(cases, KillOfNow(42), kNow);
  const auto second = *cases.Add(CmdlineOf(42), Context(), kNow + 1);

  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->final());
  EXPECT_TRUE(second->final());
  EXPECT_EQ(second->revision(), 2U);
  EXPECT_EQ(second->oom().victims(0).cmdline(), "python3 x.py");
  // Open for what is late, but nothing more to say.
  EXPECT_NE(cases.NextDeadline(), std::nullopt);
  EXPECT_TRUE(cases.Close(kNow + 1 + CaseBook::kWaitNs).empty());
}

TEST(CaseBookTest, GathersForGroupsOnly) {
  CaseBook cases(Nothing);
  Added(cases, KillOfNow(42), kNow);
  EXPECT_FALSE(cases.HasOpenGroup());  // the next kill's revision 1 waits for nothing

  KillRecord group = Kill(42, true, false);
  group.episode_tgid = 43;
  Added(cases, group, kNow);

  EXPECT_TRUE(cases.HasOpenGroup());
}

TEST(CaseBookTest, ClosesAKillWhoseCommandLineNeverComes) {
  CaseBook cases(Nothing);
  Added(cases, KillOfNow(42), kNow);

  const auto closed = cases.Close(kNow + CaseBook::kWaitNs);

  ASSERT_EQ(closed.size(), 1U);
  EXPECT_TRUE(closed[0].final());
  EXPECT_EQ(closed[0].revision(), 2U);
  const auto& missing = closed[0].oom().quality().missing();
  EXPECT_TRUE(std::any_of(missing.begin(), missing.end(), [](const v1::MissingField& field) {
    return field.field() == "victims.cmdline";
  }));
}

TEST(CaseBookTest, MissesNoCommandLineThatComesAfterAll) {
  v1::Event closed;
  CaseBook cases([&](const std::string&) {
    return Result<std::optional<v1::Event>>(closed.revision() == 0 ? std::nullopt
                                                                   : std::optional(closed));
  });
  Added(cases, KillOfNow(42), kNow);
  closed = cases.Close(kNow + CaseBook::kWaitNs)[0];

  const auto event = *cases.Add(CmdlineOf(42), Context(), kNow + 2 * CaseBook::kWaitNs);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->oom().victims(0).cmdline(), "python3 x.py");
  for (const v1::MissingField& field : event->oom().quality().missing()) {
    EXPECT_NE(field.field(), "victims.cmdline");
  }
}

TEST(CaseBookTest, KeepsACommandLineThatComesBeforeItsKill) {
  CaseBook cases(Nothing);

  EXPECT_EQ(*cases.Add(CmdlineOf(42), Context(), kNow), std::nullopt);
  const auto event = Added(cases, KillOfNow(42), kNow + 1);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->oom().victims(0).cmdline(), "python3 x.py");
  EXPECT_TRUE(event->final());
}

TEST(CaseBookTest, KeepsTheCommandLineOfAGroupMemberThatIsNotThereYet) {
  CaseBook cases(Nothing);
  Added(cases, Kill(42, true, false), kNow);

  EXPECT_EQ(*cases.Add(CmdlineOf(43), Context(), kNow), std::nullopt);
  const auto event = Added(cases, Kill(43, true, true), kNow + 1);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->oom().victims(1).cmdline(), "python3 x.py");
}

TEST(CaseBookTest, AddsWhoSharedTheMemory) {
  CaseBook cases(Nothing);
  Added(cases, KillOfNow(42), kNow);
  SignalRecord sharer{
      .kind = SignalKind::kSharer, .episode_tgid = 42, .episode_start_boottime_ns = 7};
  sharer.target.tgid = 43;

  const auto event = *cases.Add(sharer, Context(), kNow + 1);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->oom().related_size(), 1);
  EXPECT_EQ(event->oom().victims_total(), 1U);
}

TEST(CaseBookTest, AddsASharerToAKillThatWasCompleteAtOnce) {
  CaseBook cases(Nothing);  // its event is not stored yet
  ASSERT_TRUE(cases.Add(CmdlineOf(42), Context(), kNow).has_value());
  const auto first = Added(cases, KillOfNow(42), kNow);
  SignalRecord sharer{
      .kind = SignalKind::kSharer, .episode_tgid = 42, .episode_start_boottime_ns = 7};
  sharer.target.tgid = 43;

  const auto second = *cases.Add(sharer, Context(), kNow + 1);

  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->final());
  EXPECT_EQ(second->revision(), 2U);
  EXPECT_EQ(second->oom().related_size(), 1);
  EXPECT_TRUE(cases.Close(kNow + 1 + CaseBook::kWaitNs).empty());
}

TEST(CaseBookTest, AsksWhatTheOtherUsersWereStartedAsAndAddsTheAnswer) {
  std::vector<uint32_t> asked;
  CaseBook cases(Nothing, {.boot_id = "b007",
                           .ask_cmdline = [&](const std::string& /*id*/, uint32_t tgid,
                                              uint64_t /*start*/) { asked.push_back(tgid); }});
  KillRecord kill = KillOfNow(42);
  kill.ranked = true;
  kill.users.resize(2);
  kill.users[0].tgid = 42;
  kill.users[0].start_boottime_ns = 7;
  kill.users[1].tgid = 43;
  kill.users[1].start_boottime_ns = 8;
  const auto first = Added(cases, kill);
  ASSERT_TRUE(first.has_value());

  const auto second = cases.AddUserCmdline(first->event_id(), 43, 8, "python3 \x01", kNow);

  EXPECT_EQ(asked, std::vector<uint32_t>{43});
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->oom().top_users(1).cmdline(), "python3 \\x01");
  EXPECT_FALSE(cases.AddUserCmdline(first->event_id(), 43, 9, "x", kNow).has_value());
  EXPECT_FALSE(cases.AddUserCmdline("other", 43, 8, "x", kNow).has_value());
}

TEST(CaseBookTest, MakesAnEventOfItsOwnOfWhatIsNoKill) {
  CaseBook cases(Nothing);
  SignalRecord dying{.boottime_ns = 5, .kind = SignalKind::kAlreadyDying};
  dying.target.tgid = 42;
  dying.target_cgroup_tail = "pod/worker";

  const auto event = *cases.Add(dying, Context(), kNow);

  ASSERT_TRUE(event.has_value() && event->has_no_kill());
  EXPECT_EQ(event->no_kill().kind(), v1::NoKillEvent::KIND_ALREADY_DYING);
  EXPECT_EQ(event->no_kill().process().tgid(), 42U);
  EXPECT_EQ(event->no_kill().process().cgroup_tail(), "pod/worker");
  EXPECT_TRUE(event->final());
}

TEST(CaseBookTest, SaysOnceInAMinuteThatACgroupHasNobodyToKill) {
  CaseBook cases(Nothing);
  SignalRecord stuck{.boottime_ns = 5, .kind = SignalKind::kNoVictim};
  stuck.target.cgroup_id = 9;

  EXPECT_TRUE(cases.Add(stuck, Context(), kNow)->has_value());
  stuck.boottime_ns += NoKillBudget::kSameNoVictimNs - 1;
  EXPECT_FALSE(cases.Add(stuck, Context(), kNow)->has_value());
  stuck.boottime_ns += 1;
  EXPECT_TRUE(cases.Add(stuck, Context(), kNow)->has_value());
  EXPECT_EQ(cases.no_kills_skipped(), 0U);
}

TEST(CaseBookTest, BoundsWhatIsNoKillInAnHourAndCountsTheRest) {
  CaseBook cases(Nothing);
  SignalRecord killed{.boottime_ns = 5, .kind = SignalKind::kInitKilled};
  for (uint64_t i = 0; i < NoKillBudget::kPerHour; ++i) {
    EXPECT_TRUE(cases.Add(killed, Context(), kNow)->has_value());
  }

  EXPECT_FALSE(cases.Add(killed, Context(), kNow)->has_value());
  EXPECT_EQ(cases.no_kills_skipped(), 1U);
  const SignalRecord stuck{.boottime_ns = 5, .kind = SignalKind::kNoVictim};
  EXPECT_TRUE(cases.Add(stuck, Context(), kNow)->has_value());
  killed.boottime_ns += 3'600'000'000'000;
  EXPECT_TRUE(cases.Add(killed, Context(), kNow)->has_value());
}

TEST(CaseBookTest, RevisesAGroupKillWithEachVictimAndClosesIt) {
  CaseBook cases(Nothing);

  const auto first = Added(cases, Kill(42, true, false), kNow);
  const auto second = Added(cases, Kill(43, true, true), kNow + 1);
  EXPECT_TRUE(cases.Close(kNow + 2).empty());
  const auto closed = cases.Close(kNow + 1 + CaseBook::kWaitNs);

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
  EXPECT_TRUE(after.Close(kNow + CaseBook::kWaitNs).empty());
}

TEST(CaseBookTest, ClosesTheOldestOfTooManyCases) {
  CaseBook cases(Nothing);
  constexpr uint32_t kMore = 10;
  for (uint32_t i = 0; i < CaseBook::kMaxOpen + kMore; ++i) {
    KillRecord kill = KillOfNow(100 + i);
    kill.episode_tgid = 100 + i;
    Added(cases, kill, kNow + i);
  }

  const auto closed = cases.Close(kNow + CaseBook::kMaxOpen + kMore);

  ASSERT_EQ(closed.size(), kMore);
  for (const v1::Event& event : closed) {
    EXPECT_TRUE(event.final());
    EXPECT_LT(event.oom().victims(0).tgid(), 100 + kMore);
  }
  EXPECT_TRUE(cases.Close(kNow + CaseBook::kMaxOpen + kMore).empty());
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

// A kernel whose symbols are known a while after they were asked for.
class LateSymbols final : public StackSymbols {
 public:
  std::optional<std::vector<std::string>> Known(std::span<const uint64_t> addresses) override {
    return known_ ? std::optional(LookUp(addresses)) : std::nullopt;
  }
  std::vector<std::string> LookUp(std::span<const uint64_t> addresses) override {
    return std::vector<std::string>(addresses.size(), "handle_mm_fault+0x1");
  }
  bool known_ = false;
};

TEST(CaseBookTest, NamesTheStackAsSoonAsItsSymbolsAreKnown) {
  LateSymbols symbols;
  std::vector<std::vector<uint64_t>> asked;
  CaseBook cases(
      Nothing, {.boot_id = "b007", .symbols = &symbols, .ask_symbols = [&](const auto& addresses) {
                  asked.push_back(addresses);
                }});
  KillRecord kill = KillOfNow(42);
  kill.stack = {11, 12};

  Added(cases, kill);
  const auto with_cmdline = *cases.Add(CmdlineOf(42), Context(), kNow + 1);
  ASSERT_TRUE(with_cmdline);
  EXPECT_FALSE(with_cmdline->final());
  EXPECT_EQ(asked, (std::vector<std::vector<uint64_t>>{{11, 12}}));
  EXPECT_TRUE(cases.NameOpen().empty());

  symbols.known_ = true;
  const auto named = cases.NameOpen();

  ASSERT_EQ(named.size(), 1U);
  EXPECT_TRUE(named[0].final());
  EXPECT_EQ(named[0].revision(), 3U);
  EXPECT_EQ(named[0].oom().trigger().kernel_stack(1).symbol(), "handle_mm_fault+0x1");
  EXPECT_EQ(named[0].oom().trigger().activity(), v1::Trigger::ACTIVITY_PAGE_FAULT);
  EXPECT_TRUE(cases.NameOpen().empty());
}

TEST(CaseBookTest, WaitsForSymbolsThatAreBeingReadButNotForEver) {
  LateSymbols symbols;
  CaseBook cases(Nothing,
                 {.boot_id = "b007", .symbols = &symbols, .ask_symbols = [](const auto&) {}});
  KillRecord kill = KillOfNow(42);
  kill.stack = {11};
  kill.kills_group = kill.levels[0].oom_group = true;
  Added(cases, kill);
  EXPECT_TRUE(cases.HasOpenGroup());

  EXPECT_TRUE(cases.Close(kNow + CaseBook::kWaitNs).empty());
  EXPECT_FALSE(cases.HasOpenGroup()) << "only its names are waited for";
  EXPECT_TRUE(cases.Close(kNow + CaseBook::kFateWaitNs - 1).empty());
  const auto closed = cases.Close(kNow + CaseBook::kNamesWaitNs);

  ASSERT_EQ(closed.size(), 1U);
  EXPECT_TRUE(closed[0].final());
  EXPECT_EQ(closed[0].oom().trigger().kernel_stack(0).symbol(), "");
  const auto& missing = closed[0].oom().quality().missing();
  EXPECT_TRUE(std::any_of(missing.begin(), missing.end(), [](const v1::MissingField& field) {
    return field.field() == "trigger.kernel_stack.symbol";
  }));
}

TEST(CaseBookTest, AsksForNamesAgainAfterARestart) {
  LateSymbols symbols;
  int asked = 0;
  const CaseSources sources{
      .boot_id = "b007", .symbols = &symbols, .ask_symbols = [&](const auto&) { ++asked; }};
  KillRecord kill = KillOfNow(42);
  kill.stack = {11};
  CaseBook before(Nothing, sources);
  const auto event = Added(before, kill);
  CaseBook after(Nothing, sources);

  after.Reopen(*event, kNow);

  EXPECT_EQ(asked, 2);
}

TEST(CaseBookTest, ClosesAReopenedCase) {
  CaseBook before(Nothing);
  const v1::Event stored = *Added(before, Kill(42, true, false), kNow);
  CaseBook after(Nothing);

  after.Reopen(stored, kNow);

  EXPECT_EQ(after.Close(kNow + CaseBook::kWaitNs).size(), 1U);
}

class FakeContainers final : public ContainerSource {
 public:
  std::optional<RuntimeContainer> Known(const std::string& /*id*/) override { return known; }
  void Ask(Question question) override { asked.push_back(std::move(question)); }
  std::vector<Answer> Take() override { return {}; }
  void OnAnswer(std::function<void()> /*answered*/) override {}

  std::optional<RuntimeContainer> known;
  std::vector<Question> asked;
};

class NamedCaseTest : public ::testing::Test {
 protected:
  CaseSources Sources() {
    return {.boot_id = "b007",
            .identify =
                [](std::string_view) {
                  return CgroupIdentity{.kind = CgroupKind::kContainer, .container_id = "c1"};
                },
            .containers = &containers_};
  }
  static ContainerSource::Answer Answer(const v1::Event& of, bool last) {
    return {.event_id = of.event_id(),
            .container = {.container_id = "c1", .pod_name = "ocr-1", .running = true},
            .found = true,
            .asked = true,
            .last = last};
  }

  FakeContainers containers_;
};

TEST_F(NamedCaseTest, RevisionOneHasTheNamesThatAreKnownAndWaitsForNothing) {
  containers_.known = {.container_id = "c1", .pod_name = "ocr-1"};
  CaseBook cases(Nothing, Sources());

  const auto event = Added(cases, KillOfNow(42), kNow);

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->revision(), 1U);
  EXPECT_EQ(event->oom().container().pod_name(), "ocr-1");
  EXPECT_FALSE(event->final());
  ASSERT_EQ(containers_.asked.size(), 1U);
  EXPECT_EQ(containers_.asked[0].container_id, "c1");
}

TEST_F(NamedCaseTest, ClosesThoseThatOnlyWaitForTheRuntimeBeforeNewOnes) {
  CaseBook cases(Nothing, Sources());
  const auto numbered = [](uint32_t number) {
    KillRecord kill = KillOfNow(number);
    kill.episode_tgid = number;
    return kill;
  };
  for (uint32_t i = 1; i <= CaseBook::kMaxOpen; ++i) {
    Added(cases, numbered(i), kNow);
  }
  cases.Close(kNow + CaseBook::kWaitNs);  // now they wait for the runtime, for long
  const auto last = Added(cases, numbered(1000), kNow + CaseBook::kWaitNs);

  const auto closed = cases.Close(kNow + CaseBook::kWaitNs + 1);

  ASSERT_EQ(closed.size(), 1U);
  EXPECT_NE(closed[0].event_id(), last->event_id());
}

TEST_F(NamedCaseTest, NamesThatComeLaterAreARevision) {
  CaseBook cases(Nothing, Sources());
  const auto first = Added(cases, KillOfNow(42), kNow);

  const auto named = *cases.AddContainer(Answer(*first, false), kNow + 1);

  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->revision(), 2U);
  EXPECT_EQ(named->oom().container().pod_name(), "ocr-1");
  EXPECT_FALSE(named->final());
  EXPECT_EQ(*cases.AddContainer(Answer(*first, false), kNow + 2), std::nullopt) << "no news";
}

TEST_F(NamedCaseTest, IsOpenUntilTheRuntimeHasSaidWhatBecameOfTheContainer) {
  CaseBook cases(Nothing, Sources());
  const auto first = Added(cases, KillOfNow(42), kNow);
  const auto line = *cases.Add(CmdlineOf(42), Context(), kNow + 1);
  ASSERT_TRUE(line.has_value());
  EXPECT_FALSE(line->final());

  for (const v1::Event& settled : cases.Close(kNow + 2 * CaseBook::kWaitNs)) {
    EXPECT_FALSE(settled.final());
  }
  const auto last = *cases.AddContainer(Answer(*first, true), kNow + 3 * CaseBook::kWaitNs);

  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->final());
  EXPECT_TRUE(last->oom().container().survived());
}

TEST_F(NamedCaseTest, IsFinalWithinAMinuteWhenTheRuntimeNeverAnswers) {
  CaseBook cases(Nothing, Sources());
  Added(cases, KillOfNow(42), kNow);
  cases.Close(kNow + CaseBook::kWaitNs);

  const auto closed = cases.Close(kNow + CaseBook::kFateWaitNs);

  ASSERT_EQ(closed.size(), 1U);
  EXPECT_TRUE(closed[0].final());
  EXPECT_EQ(cases.NextDeadline(), std::nullopt);
}

TEST_F(NamedCaseTest, WaitsForTheRuntimeWithoutHoldingUpOtherKills) {
  CaseBook cases(Nothing, Sources());
  KillRecord group = KillOfNow(42);
  group.kills_group = true;
  group.levels[0].oom_group = true;
  Added(cases, group, kNow);
  EXPECT_TRUE(cases.HasOpenGroup());

  cases.Close(kNow + CaseBook::kWaitNs);

  EXPECT_FALSE(cases.HasOpenGroup());
  EXPECT_NE(cases.NextDeadline(), std::nullopt);
}

TEST_F(NamedCaseTest, IsFinalWithTheLastAnswerThoughItSaysNothing) {
  CaseBook cases(Nothing, Sources());
  const auto first = Added(cases, KillOfNow(42), kNow);
  cases.Close(kNow + CaseBook::kWaitNs);

  const auto last = *cases.AddContainer({.event_id = first->event_id(), .last = true},
                                        kNow + 2 * CaseBook::kWaitNs);

  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->final());
}

TEST_F(NamedCaseTest, AsksForNoFateOfASandbox) {
  containers_.known = {.container_id = "c1", .pod_name = "ocr-1", .is_sandbox = true};
  CaseBook cases(Nothing, Sources());

  const auto event = Added(cases, KillOfNow(42), kNow);

  EXPECT_EQ(event->oom().container().pod_name(), "ocr-1");
  EXPECT_TRUE(containers_.asked.empty());
}

TEST_F(NamedCaseTest, DoesNotAskForAKillOfAnotherBoot) {
  CaseBook cases(Nothing, Sources());

  *cases.Add(KillOfNow(42), {.boot_id = "before"}, kNow);

  EXPECT_TRUE(containers_.asked.empty());
}

}  // namespace
}  // namespace oombox
