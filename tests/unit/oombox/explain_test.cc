#include "tools/oombox/render/explain.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/text_width.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

VerbResult Explain(const v1::Event& event, const RunnerOptions& runner = {}) {
  return RunVerb(SourceOf({event}), runner, [&](const VerbContext& context) {
    return RunExplain(event.event_id().substr(0, 6), context);
  });
}

void ExpectOneScreen(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  size_t count = 0;
  while (std::getline(lines, line)) {
    ++count;
    EXPECT_LE(TextWidth(line), 100u) << line;
  }
  EXPECT_LE(count, 35u);
}

TEST(ExplainTest, ShowsTheIdsOfAContainerWhoseNamesAreNotKnown) {
  v1::Event event = HogEvent();
  v1::Container* container = event.mutable_oom()->mutable_container();
  container->set_container_id("bacb920470900725e0aa7d914fee5eb0854315448b024b6b8420ad8429c607ba");
  container->set_runtime_name("containerd");
  container->set_pod_uid("4c9f1974-5c46-44c2-b42f-3bbf0e98eef9");
  container->set_qos_class("BestEffort");

  const std::string text = Explain(event).out;

  EXPECT_THAT(text, HasSubstr("\ncontainer bacb92047090  containerd  pod "
                              "4c9f1974-5c46-44c2-b42f-3bbf0e98eef9  BestEffort\n"));
  EXPECT_THAT(text, Not(HasSubstr("pod and owner: not known\n")));
  ExpectOneScreen(text);
}

TEST(ExplainTest, TellsAHogFromItsNeighbour) {
  const std::string text = Explain(HogEvent()).out;

  ExpectGolden("explain_hog.txt", text);
  ExpectOneScreen(text);
}

TEST(ExplainTest, TellsAChildKilledUnderItsParent) {
  const std::string text = Explain(ChildEvent()).out;

  ExpectGolden("explain_child.txt", text);
  ExpectOneScreen(text);
}

TEST(ExplainTest, NamesWhatIsUnknownAndInventsNoZero) {
  const std::string text = Explain(NodeEvent()).out;

  ExpectGolden("explain_node.txt", text);
  EXPECT_THAT(text, Not(HasSubstr(" 0 B")));
  EXPECT_THAT(text, HasSubstr("swap unknown"));
  EXPECT_THAT(text, HasSubstr("uid unknown"));
}

TEST(ExplainTest, SaysWhatTheKernelLogSaysAndThatItIsAll) {
  const std::string text = Explain(LoggedEvent()).out;

  ExpectGolden("explain_kernel_log.txt", text);
  ExpectOneScreen(text);
  EXPECT_THAT(text, Not(HasSubstr("inferred")));
}

TEST(ExplainTest, PointsToTheRealEventOfASupersededOne) {
  v1::Event event = LoggedEvent();
  event.mutable_oom()->set_superseded_by("4k7qzd0123456789");

  EXPECT_THAT(Explain(event).out, HasSubstr("SUPERSEDED: this kill was captured after all, with "
                                            "more: oombox explain 4k7qzd01\n"));
}

TEST(ExplainTest, TellsAGap) { ExpectGolden("explain_gap.txt", Explain(GapEventSample()).out); }

TEST(ExplainTest, SurvivesHostileNamesOnOneScreen) {
  v1::Event event = HostileEvent();
  event.set_replayed(true);

  const std::string text = Explain(event).out;

  ExpectGolden("explain_hostile.txt", text);
  ExpectOneScreen(text);
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
}

TEST(ExplainTest, ColoursOnlyWhenAsked) {
  EXPECT_THAT(Explain(HogEvent()).out, Not(HasSubstr("\033")));
  ExpectGolden("explain_color.txt", Explain(HogEvent(), {.color = true}).out);
}

TEST(ExplainTest, SaysLoudlyThatARecordingIsOne) {
  v1::Event event = HogEvent();
  event.set_replayed(true);

  EXPECT_THAT(Explain(event).out,
              HasSubstr("RECORDING: replayed from a recording, did not happen on this node now\n"));
}

TEST(ExplainTest, CountsTheKillsOfTheWorkloadInTheFile) {
  const auto result =
      RunVerb(SourceOf({HogEvent("4k7qzd0123456789"), HogEvent("5k7qzd0123456789", 3 * kDay)}), {},
              [](const VerbContext& context) { return RunExplain("latest", context); });

  EXPECT_THAT(result.out, HasSubstr("killed 2 times since 2026-11-20 03:18:41.318Z"));
}

TEST(ExplainTest, DrawsTheCurveWhereThereIsOne) {
  v1::Event event = HogEvent();
  for (int i = 0; i <= 48; ++i) {
    auto* point = event.mutable_oom()->mutable_curve()->add_points();
    *point->mutable_time() = google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
        kNow - 6 * kMinute - (48 - i) * kMinute);
    point->set_usage_bytes(static_cast<uint64_t>(i) * (200u << 20) / 48);
  }

  EXPECT_THAT(Explain(event).out, HasSubstr("CURVE    02:24 ▁"));
}

TEST(ExplainTest, ShowsNoGrowthOfOneReading) {
  v1::Event event = HogEvent();
  auto* point = event.mutable_oom()->mutable_curve()->add_points();
  *point->mutable_time() = event.event_time();
  point->set_usage_bytes(200u << 20);

  EXPECT_THAT(Explain(event).out, HasSubstr("   200 MiB, one reading\n"));
}

TEST(ExplainTest, SaysHowToFindAnIdWhenThereIsNoSuchEvent) {
  const auto result = RunVerb(SourceOf({HogEvent()}), {}, [](const VerbContext& context) {
    return RunExplain("zzzzzz", context);
  });

  EXPECT_EQ(result.exit_code, kExitNotFound);
  EXPECT_EQ(result.error, "no event \"zzzzzz\" in saved.json\ntry: oombox list   (what is there)");
}

TEST(ExplainTest, ListsTheCandidatesOfAnAmbiguousPrefix) {
  const auto result =
      RunVerb(SourceOf({HogEvent("4k7qzd0123456789"), ChildEvent("4k7qaa0123456789")}), {},
              [](const VerbContext& context) { return RunGet("4k7q", context); });

  EXPECT_EQ(result.exit_code, kExitNotFound);
  EXPECT_THAT(result.error, HasSubstr("\n  4k7qzd0123456789  6m ago  /system.slice/batch.service"));
  EXPECT_THAT(result.error,
              HasSubstr("\n  4k7qaa0123456789  41m ago  sie/ocr-7c9d6b5f4-x2kqp/worker"));
}

TEST(ExplainTest, RefusesWhatCanBeNoReference) {
  for (const char* reference : {"4k7", "4K7Q", "", "4k7qzd01234567890"}) {
    const auto result = RunVerb(
        SourceOf({}), {}, [&](const VerbContext& context) { return RunGet(reference, context); });
    EXPECT_EQ(result.exit_code, kExitUsage) << reference;
  }
}

}  // namespace
}  // namespace oombox
