#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/fold.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

VerbResult List(std::vector<v1::Event> events, std::optional<v1::CoverageSummary> coverage,
                const RunnerOptions& runner = {}, const ListOptions& options = {}) {
  return RunVerb(SourceOf(std::move(events), std::move(coverage)), runner,
                 [&](const VerbContext& context) { return RunList(options, context); });
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

std::vector<v1::Event> CrashLoop() {
  std::vector<v1::Event> events = {ChildEvent(), NodeEvent(), GapEventSample()};
  for (int i = 0; i < 14; ++i) {
    const std::string id = std::string(1, "0123456789abcd"[i]) + "k7qzd0123456789";
    events.push_back(HogEvent(id, 6 * kMinute + i * 5 * kHour));
  }
  return events;
}

TEST(ListTest, ShowsOneLinePerWorkloadAndGapsAcrossTheWidth) {
  const VerbResult result = List(CrashLoop(), CompleteCoverage(), {.width = 0});

  ExpectGolden("list_folded.txt", result.out);
  EXPECT_EQ(result.exit_code, kExitOk);
}

TEST(ListTest, FitsANarrowTerminal) {
  ExpectGolden("list_80_columns.txt", List(CrashLoop(), PartialCoverage(), {.width = 80}).out);
}

TEST(ListTest, ColoursWhatMatters) {
  ExpectGolden("list_color.txt", List(CrashLoop(), PartialCoverage(), {.color = true}).out);
}

TEST(ListTest, PrintsCompactLines) {
  ExpectGolden("list_compact.txt",
               List(CrashLoop(), CompleteCoverage(), {.format = OutputFormat::kCompact}).out);
}

TEST(ListTest, SaysThatAChoiceByNameLeavesOutWhatHasNone) {
  v1::Event nameless = ChildEvent();
  nameless.mutable_oom()->mutable_container()->clear_pod_name();
  nameless.mutable_oom()->mutable_container()->set_qos_class("Burstable");

  const VerbResult result =
      List({nameless}, CompleteCoverage(), {}, {.filter = {.namespace_name = "shop"}});

  EXPECT_EQ(result.exit_code, kExitPartial);
  EXPECT_THAT(result.notes, HasSubstr("names are not known"));
  EXPECT_EQ(
      List({HogEvent()}, CompleteCoverage(), {}, {.filter = {.namespace_name = "shop"}}).exit_code,
      kExitOk);
}

TEST(ListTest, MakesHostileNamesHarmless) {
  const VerbResult result = List({HostileEvent()}, CompleteCoverage(), {.width = 100});

  ExpectGolden("list_hostile.txt", result.out);
  EXPECT_THAT(result.out, Not(HasSubstr("\033")));
}

TEST(ListTest, NeverShortensWhatGoesIntoAPipe) {
  const VerbResult result = List({HostileEvent()}, CompleteCoverage(), {.width = 0});

  EXPECT_THAT(result.out, Not(HasSubstr("…")));
  EXPECT_GT(result.out.size(), 4000u);
}

TEST(ListTest, SaysSinceWhenNothingHappened) {
  ListOptions options;
  options.filter.since = "3h";

  const VerbResult result = List({}, CompleteCoverage(), {}, options);

  EXPECT_EQ(
      result.out,
      "no OOM kills since 2026-11-23 00:18:41.318Z\ncoverage when saved: 1 of 1 nodes complete\n");
}

TEST(ListTest, DoesNotSayThatNothingHappenedWhenNothingMatches) {
  ListOptions options;
  options.filter.comm = "nobody";

  const VerbResult matching = List({}, CompleteCoverage(), {}, options);
  options.filter.since = "3h";
  const VerbResult since = List({}, CompleteCoverage(), {}, options);
  const VerbResult all = List({}, CompleteCoverage(), {}, {});

  EXPECT_THAT(matching.out, testing::StartsWith("no OOM kills match\n"));
  EXPECT_THAT(since.out, testing::StartsWith("no OOM kills match since 2026-11-23"));
  EXPECT_THAT(all.out, testing::StartsWith("no OOM kills recorded\n"));
}

TEST(ListTest, ExitsPartialWhenANodeIsMissing) {
  EXPECT_EQ(List({}, PartialCoverage()).exit_code, kExitPartial);
}

TEST(ListTest, IsPartialWhenNoNodeIsKnown) {
  const VerbResult result = List({}, v1::CoverageSummary());

  EXPECT_EQ(result.exit_code, kExitPartial);
  EXPECT_THAT(result.out, HasSubstr("no node is known, so nothing was watched"));
}

TEST(ListTest, TellsThatThereAreMoreThanAskedByDefaultOnly) {
  std::vector<v1::Event> many(1001, HogEvent());

  EXPECT_THAT(List(many, CompleteCoverage()).out, HasSubstr("there are more: --last N"));
  ListOptions options;
  options.last = 2;
  EXPECT_THAT(List(many, CompleteCoverage(), {}, options).out, Not(HasSubstr("there are more")));
}

TEST(ListTest, GivesProgramsAllThereIs) {
  const std::vector<v1::Event> many(1500, HogEvent());

  for (const OutputFormat format :
       {OutputFormat::kJson, OutputFormat::kJsonLines, OutputFormat::kYaml}) {
    const VerbResult result = List(many, CompleteCoverage(), {.format = format});

    EXPECT_EQ(Count(result.out, "event_id"), 1500);
    EXPECT_EQ(result.notes, "");
    EXPECT_EQ(result.exit_code, kExitOk);
  }
}

TEST(ListTest, GivesProgramsNoMoreThanTheyAskFor) {
  const std::vector<v1::Event> many(10, HogEvent());
  ListOptions options;
  options.last = 3;

  const VerbResult result =
      List(many, CompleteCoverage(), {.format = OutputFormat::kJsonLines}, options);

  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 3);
}

TEST(ListTest, MakesHostileNamesInJsonLinesHarmless) {
  const VerbResult result =
      List({HostileEvent()}, CompleteCoverage(), {.format = OutputFormat::kJsonLines});

  EXPECT_THAT(result.out, Not(HasSubstr("\033")));
  EXPECT_THAT(result.out, Not(HasSubstr("\\u001b")));
}

TEST(ListTest, MarksRecordings) {
  v1::Event event = HogEvent();
  event.set_replayed(true);

  const VerbResult result = List({event}, CompleteCoverage());

  EXPECT_THAT(result.out, HasSubstr("4k7qzd (rec)"));
  EXPECT_THAT(result.out, HasSubstr("RECORDING"));
}

TEST(ListTest, MarksWhatIsFromTheKernelLog) {
  v1::Event gap = GapEventSample();
  gap.mutable_gap()->set_reconstructed(1);

  const VerbResult result = List({LoggedEvent(), gap}, CompleteCoverage());

  EXPECT_THAT(result.out, HasSubstr("k1eg5x (log)"));
  EXPECT_THAT(result.out, HasSubstr("put together from the kernel log"));
  EXPECT_THAT(result.out, HasSubstr("3 kills lost, 1 of them in the kernel log"));
}

TEST(ListTest, LeavesOutWhatWasSuperseded) {
  v1::Event old = LoggedEvent();
  old.mutable_oom()->set_superseded_by("4k7qzd0123456789");

  EXPECT_THAT(List({old, HogEvent()}, CompleteCoverage()).out, Not(HasSubstr("k1eg5x")));
  ListOptions options;
  options.filter.expression = "kind = superseded";
  EXPECT_THAT(List({old, HogEvent()}, CompleteCoverage(), {}, options).out, HasSubstr("k1eg5x"));
}

TEST(ListTest, PrintsNothingButTheFilterWhenAsked) {
  ListOptions options;
  options.filter.comm = "python*";
  options.filter.kind = "oom";
  options.filter.print = true;

  const VerbResult result = List(CrashLoop(), PartialCoverage(), {}, options);

  EXPECT_EQ(result.out, "kind = oom AND comm = \"python*\"\n");
  EXPECT_EQ(result.exit_code, kExitOk);
}

TEST(ListTest, TellsPartialCoverageBesideJsonLines) {
  const VerbResult result =
      List({HogEvent()}, PartialCoverage(), {.format = OutputFormat::kJsonLines});

  EXPECT_THAT(result.notes, HasSubstr("1997 of 2000 nodes complete"));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
}

TEST(ListTest, SaysUpToWhenEventsAreNotKeptAnyMore) {
  v1::CoverageSummary coverage = CompleteCoverage();
  coverage.mutable_removed_until()->set_seconds(1'700'000'000);

  EXPECT_THAT(List({HogEvent()}, coverage).out,
              HasSubstr("1 of 1 nodes complete; some events up to 2023-11-14 22:13:20.000Z may be "
                        "gone\n"));
}

v1::Event Unwritable() {
  v1::Event event = GapEventSample("bad0000000000000");
  event.mutable_gap()->mutable_start_time()->set_seconds(int64_t{1} << 60);
  return event;
}

TEST(ListTest, LeavesOutAloneWhatJsonCannotWriteAndSaysSo) {
  for (const OutputFormat format : {OutputFormat::kJson, OutputFormat::kJsonLines}) {
    const VerbResult result =
        List({HogEvent(), Unwritable(), ChildEvent()}, CompleteCoverage(), {.format = format});

    EXPECT_EQ(Count(result.out, "event_id"), 2) << result.error;
    EXPECT_THAT(result.out, HasSubstr(HogEvent().event_id()));
    EXPECT_THAT(result.out, HasSubstr(ChildEvent().event_id()));
    EXPECT_THAT(result.notes, HasSubstr("event bad0000000000000 is left out: cannot write JSON"));
    EXPECT_THAT(result.notes, HasSubstr("\n  oombox get bad0000000000000 -o yaml\n"));
    EXPECT_EQ(result.exit_code, kExitPartial);
  }
}

TEST(ListTest, PrintsWhatJsonCannotWriteInEveryOtherFormat) {
  for (const OutputFormat format :
       {OutputFormat::kYaml, OutputFormat::kTable, OutputFormat::kCompact}) {
    const VerbResult result = List({Unwritable()}, CompleteCoverage(), {.format = format});

    EXPECT_THAT(result.out, HasSubstr("bad0")) << result.error;
    EXPECT_EQ(result.exit_code, kExitOk);
  }
}

TEST(ListTest, LeavesOutTheCoverageThatJsonCannotWrite) {
  v1::CoverageSummary coverage = PartialCoverage();
  v1::NodeCoverage& node = *coverage.mutable_incomplete_nodes(0);
  node.mutable_coverage()->mutable_complete_since()->set_seconds(int64_t{1} << 60);

  const VerbResult result = List({HogEvent()}, coverage, {.format = OutputFormat::kJson});

  EXPECT_THAT(result.out, HasSubstr(HogEvent().event_id())) << result.error;
  EXPECT_THAT(result.out, HasSubstr("nodes_known"));
  EXPECT_THAT(result.notes, HasSubstr("coverage of node " + node.node_name() + " is left out"));
  EXPECT_EQ(result.exit_code, kExitPartial);
}

TEST(ListTest, RefusesAFormatItDoesNotHave) {
  const VerbResult result =
      RunVerb(SourceOf({}), {.format = OutputFormat::kTable},
              [](const VerbContext& context) { return RunGet("latest", context); });

  EXPECT_EQ(result.exit_code, kExitUsage);
  EXPECT_THAT(result.error, HasSubstr("yaml, json, jsonl"));
}

TEST(FoldTest, CountsKillsAndKeepsTheOldestTime) {
  const std::vector<v1::Event> events = {HogEvent("a", kMinute), ChildEvent("b", kHour),
                                         HogEvent("c", kDay)};

  const std::vector<EventGroup> groups = FoldEvents(events, Folding::kByWorkload);

  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].newest->event_id(), "a");
  EXPECT_EQ(groups[0].kills, 2u);
  EXPECT_EQ(groups[0].oldest_ns, kNow - kDay);
}

TEST(FoldTest, KeepsTheSamePathOnAnotherNodeApart) {
  std::vector<v1::Event> events = {HogEvent("a"), HogEvent("b")};
  events[1].mutable_node()->set_node_name("node-2");

  EXPECT_EQ(FoldEvents(events, Folding::kByWorkload).size(), 2u);
}

TEST(FoldTest, FoldsAnOwnersPodsAcrossNodes) {
  std::vector<v1::Event> events = {ChildEvent("a"), ChildEvent("b")};
  events[1].mutable_node()->set_node_name("node-2");

  EXPECT_EQ(FoldEvents(events, Folding::kByWorkload).size(), 1u);
}

TEST(FoldTest, NeverFoldsGapsNorUnknownWorkloads) {
  std::vector<v1::Event> events = {GapEventSample("a"), GapEventSample("b"), NodeEvent("c"),
                                   NodeEvent("d")};

  EXPECT_EQ(FoldEvents(events, Folding::kByWorkload).size(), 4u);
}

TEST(FoldTest, LeavesEveryKillItsLineWhenAsked) {
  const std::vector<v1::Event> events = {HogEvent("a"), HogEvent("b")};

  EXPECT_EQ(FoldEvents(events, Folding::kNone).size(), 2u);
}

}  // namespace
}  // namespace oombox
