#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/pressure_samples.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/text_width.h"

namespace oombox {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// list, watch, explain and status of memory pressure.

VerbResult List(std::vector<v1::Event> events, const ListOptions& options,
                const RunnerOptions& runner = {}) {
  return RunVerb(SourceOf(std::move(events), CompleteCoverage()), runner,
                 [&](const VerbContext& context) { return RunList(options, context); });
}

std::string ListPressure(std::vector<v1::Event> events, size_t width) {
  return List(std::move(events), {.filter = {.kind = "pressure"}}, {.width = width}).out;
}

std::string Watch(std::vector<v1::Event> events, size_t width) {
  return RunVerb(SourceOf(std::move(events)), {.width = width},
                 [](const VerbContext& context) { return RunWatch({}, context, {}); })
      .out;
}

std::string Explain(const v1::Event& event) {
  const VerbResult result =
      RunVerb(SourceOf({event}), {.width = 100},
              [&](const VerbContext& context) { return RunExplain(event.event_id(), context); });
  EXPECT_EQ(result.exit_code, kExitOk) << result.error;
  return result.out;
}

void ExpectWithin(size_t width, const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    EXPECT_LE(TextWidth(line), width) << line;
  }
}

TEST(PressureListTest, ShowsALinePerChange) {
  ExpectGolden("pressure_list.txt", ListPressure(PressureSamples(), 0));
}

TEST(PressureListTest, FitsANarrowTerminalAndSaysWhatIsLeftOut) {
  const std::string text = ListPressure(PressureSamples(), 80);

  ExpectGolden("pressure_list_80_columns.txt", text);
  EXPECT_THAT(text, HasSubstr("no room for: "));
  ExpectWithin(80, text);
}

TEST(PressureListTest, ForeseesNothingOfWhatWasRemoved) {
  const std::string text = ListPressure({RemovedSample()}, 0);

  EXPECT_THAT(text, HasSubstr("ok removed"));
  EXPECT_THAT(text, Not(HasSubstr("~0s")));
  EXPECT_THAT(text, Not(HasSubstr("Mi/s")));
}

TEST(PressureListTest, HidesPressureUntilItIsAskedFor) {
  std::vector<v1::Event> events = PressureSamples();
  events.push_back(HogEvent());
  const auto filter = [](FilterOptions options) {
    options.print = true;
    return List({}, {.filter = std::move(options)}).out;
  };

  EXPECT_THAT(List(events, {}, {.width = 0}).out, Not(HasSubstr("w4rn0x")));
  EXPECT_THAT(List(events, {}, {.width = 0}).out, HasSubstr("4k7qzd"));
  EXPECT_EQ(filter({}), "kind != pressure\n");
  EXPECT_EQ(filter({.expression = "node = \"kind\""}), "kind != pressure AND (node = \"kind\")\n");
  for (const ListOptions& options :
       {ListOptions{.filter = {.kind = "pressure"}},
        ListOptions{.filter = {.expression = "kind = pressure"}},
        ListOptions{.filter = {.expression = "node = \"ip-10-3-41-17\" AND kind=pressure"}}}) {
    EXPECT_THAT(filter(options.filter), Not(HasSubstr("kind != pressure")));
    EXPECT_THAT(List(events, options, {.width = 0}).out, HasSubstr("w4rn0x"));
  }
}

TEST(PressureWatchTest, PrintsALinePerChange) {
  ExpectGolden("pressure_watch.txt", Watch(PressureSamples(), 0));
  ExpectGolden("pressure_watch_100_columns.txt", Watch(PressureSamples(), 100));
}

TEST(PressureWatchTest, ForeseesNothingOfWhatWasRemovedInAnyState) {
  v1::Event removed = RemovedSample();
  removed.mutable_pressure()->set_state(v1::PressureEvent::STATE_WARNING);

  for (const v1::Event& event : {RemovedSample(), removed}) {
    EXPECT_THAT(Watch({event}, 0), Not(HasSubstr("full in")));
    EXPECT_THAT(Watch({event}, 0), Not(HasSubstr("Mi/s")));
  }
}

TEST(PressureExplainTest, TellsEachChange) {
  ExpectGolden("explain_pressure_warning.txt", Explain(WarningSample()));
  ExpectGolden("explain_pressure_critical.txt", Explain(CriticalSample()));
  ExpectGolden("explain_pressure_stalls.txt", Explain(StallsSample()));
  ExpectGolden("explain_pressure_removed.txt", Explain(RemovedSample()));
  ExpectGolden("explain_pressure_limit_changed.txt", Explain(LimitChangedSample()));
  ExpectGolden("explain_pressure_node.txt", Explain(NodePressureSample()));
}

TEST(PressureExplainTest, FitsOneScreen) {
  for (const v1::Event& event : PressureSamples()) {
    const std::string text = Explain(event);
    ExpectWithin(100, text);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 35);
  }
}

TEST(PressureExplainTest, ForeseesNothingOfWhatWasRemoved) {
  EXPECT_THAT(Explain(RemovedSample()), Not(HasSubstr("full in")));
  EXPECT_THAT(Explain(RemovedSample()), Not(HasSubstr("unknown\nGROWTH")));
}

// A kill that was warned of, with the minutes before it.
TEST(PressureExplainTest, ShowsWhatWentBeforeAKill) {
  v1::Event event = ChildEvent();
  v1::OomEvent* oom = event.mutable_oom();
  oom->set_pressure_event_id("cr1tcx0123456789");
  v1::MemoryCurve* curve = oom->mutable_curve();
  curve->set_limit_bytes(2147483648);
  for (int i = 0; i <= 40; ++i) {
    v1::CurvePoint* point = curve->add_points();
    point->mutable_time()->set_seconds(event.event_time().seconds() - (40 - i) * 30);
    point->set_usage_bytes(static_cast<uint64_t>(800 + i * 31) << 20);
  }

  const std::string text = Explain(event);

  ExpectGolden("explain_kill_with_curve.txt", text);
  EXPECT_THAT(text, HasSubstr("warned before: oombox get cr1tcx01"));
  EXPECT_THAT(text, HasSubstr("oombox curve 9f2mca"));
}

VerbResult ShowStatus(const v1::NodeStatus& node) {
  return RunVerb(std::make_unique<NodesSource>(std::vector{node}), {.width = 0},
                 [](const VerbContext& context) { return RunStatus({.verbose = true}, context); });
}

TEST(PressureStatusTest, CountsWarningsAndSaysWhatIsWatched) {
  ExpectGolden("status_pressure.txt", ShowStatus(WatchingNode()).out);
}

TEST(PressureStatusTest, SaysWhatTheWatchDoesNotSeeNorKeep) {
  v1::NodeStatus node = WatchingNode();
  v1::PressureWatch& watch = *node.mutable_report()->mutable_pressure_watch();
  watch.set_cut(true);
  watch.set_curves_refused(2);
  watch.mutable_reclaim()->set_disarmed(true);
  watch.set_damaged_files(1);
  watch.set_stretch(4);
  watch.set_events_lost(7);

  const std::string text = ShowStatus(node).out;

  ExpectGolden("status_pressure_ailing.txt", text);
  EXPECT_THAT(text, HasSubstr("more memory cgroups than are looked at (240)"));
  EXPECT_THAT(text, HasSubstr("2 cgroups without a memory curve: no room (curve-max-bytes)"));
  EXPECT_THAT(text,
              HasSubstr("reclaim is not measured for a minute: it took more than its budget"));
  EXPECT_THAT(text, HasSubstr("1 file of curves damaged"));
  EXPECT_THAT(text, HasSubstr("read 3 times less often"));
  EXPECT_THAT(text, HasSubstr("7 changes of memory pressure not stored"));
}

TEST(PressureStatusTest, DoesNotMistakeAnAgentWithoutAWatchForHealth) {
  v1::NodeStatus node = WatchingNode();
  node.mutable_report()->clear_pressure_watch();

  const std::string text = ShowStatus(node).out;

  EXPECT_THAT(text, Not(HasSubstr("memory pressure now")));
  EXPECT_THAT(text, Not(HasSubstr("pressure: ")));
  EXPECT_THAT(text, Not(ContainsRegex(" ok( |\n)")));
}

}  // namespace
}  // namespace oombox
