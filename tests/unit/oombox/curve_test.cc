#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/pressure_samples.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/text_width.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMib = 1 << 20;

// An hour that grows slowly, then two minutes that grow fast; nothing was read for ten minutes.
v1::Event Leak() {
  v1::Event event = HogEvent();
  event.mutable_oom()->clear_curve();
  v1::MemoryCurve* curve = event.mutable_oom()->mutable_curve();
  curve->set_limit_bytes(2048 * kMib);
  curve->set_cgroup_id(7);
  curve->set_cgroup_path("/kubepods/pod1/worker");
  const int64_t killed = event.event_time().seconds();
  const auto add = [&](int64_t before_s, uint64_t mib) {
    v1::CurvePoint* point = curve->add_points();
    point->mutable_time()->set_seconds(killed - before_s);
    point->set_usage_bytes(mib * kMib);
    point->set_anon_bytes((mib - 100) * kMib);
  };
  for (int64_t before = 3600; before > 120; before -= 30) {
    if (before < 2400 && before > 1800) {
      continue;
    }
    add(before, static_cast<uint64_t>(700 + (3600 - before) / 10));
  }
  for (int64_t before = 120; before > 0; --before) {
    add(before, static_cast<uint64_t>(2048 - before * 8));
  }
  add(0, 2048);
  curve->mutable_points()->rbegin()->set_provenance(v1::PROVENANCE_AT_KILL);
  v1::CurveGap* gap = curve->add_gaps();
  gap->mutable_start_time()->set_seconds(killed - 2400);
  gap->mutable_end_time()->set_seconds(killed - 1800);
  gap->set_reason("the agent did not run");
  return event;
}

VerbResult Curve(v1::Event event, std::optional<ChartStyle> style = {},
                 const RunnerOptions& runner = {.width = 100}) {
  return RunVerb(
      SourceOf({std::move(event)}, CompleteCoverage()), runner,
      [&](const VerbContext& context) { return RunCurve("latest", {.style = style}, context); });
}

VerbResult CurveOf(const v1::Event& event) {
  return RunVerb(SourceOf({event}, CompleteCoverage()), {}, [&](const VerbContext& context) {
    return RunCurve(event.event_id(), {}, context);
  });
}

TEST(CurveTest, DrawsTheHourAndTheLastTwoMinutes) {
  const VerbResult result = Curve(Leak(), ChartStyle::kBraille);
  ExpectGolden("curve_braille.txt", result.out);
  EXPECT_THAT(result.out, HasSubstr("the agent did not run"));
}

TEST(CurveTest, DrawsInAsciiAtEightyColumns) {
  const VerbResult result = Curve(Leak(), ChartStyle::kAscii, {.width = 80});
  ExpectGolden("curve_ascii.txt", result.out);
  for (const char c : result.out) {
    ASSERT_GE(c, 0) << "a byte that is no ASCII";
  }
}

TEST(CurveTest, TellsTheDensityOfTheHourWithoutItsFineEnd) {
  const std::string text = Curve(Leak()).out;

  EXPECT_THAT(text, HasSubstr("the hour before the kill: 97 readings until 03:10:41, as a rule one "
                              "every 30 s\n"));
  EXPECT_THAT(text, HasSubstr("the last 2 min: 121 readings, as a rule one every 1.0 s\n"));
}

TEST(CurveTest, KeepsEveryLineWithinANarrowScreen) {
  for (const size_t width : {size_t{40}, size_t{50}, size_t{80}}) {
    std::istringstream lines(Curve(Leak(), ChartStyle::kBraille, {.width = width}).out);
    std::string line;
    while (std::getline(lines, line)) {
      EXPECT_LE(TextWidth(line), width) << line;
    }
  }
}

// What a kill's record tells of the end: the usage alone.
v1::Event FullyRead() {
  v1::Event event = Leak();
  auto& points = *event.mutable_oom()->mutable_curve()->mutable_points();
  for (v1::CurvePoint& point : points) {
    point.set_file_bytes(30 * kMib);
    point.set_kernel_bytes(12 * kMib);
    point.set_some_avg10_percent(3);
    point.set_full_avg10_percent(1);
    point.set_usage_max_bytes(point.usage_bytes());
    point.set_limit_bytes(2048 * kMib);
  }
  v1::CurvePoint& last = *points.rbegin();
  const v1::CurvePoint told = last;
  last.Clear();
  *last.mutable_time() = told.time();
  last.set_usage_bytes(told.usage_bytes());
  last.set_limit_bytes(told.limit_bytes());
  last.set_provenance(told.provenance());
  return event;
}

v1::Event OneReading() {
  v1::Event event = Leak();
  v1::MemoryCurve& curve = *event.mutable_oom()->mutable_curve();
  curve.clear_gaps();
  curve.mutable_points()->DeleteSubrange(0, curve.points_size() - 1);
  return event;
}

TEST(CurveTest, SaysOnceWhatTheKillDoesNotTellAndOnceWhatNobodyDoes) {
  const std::string text = Curve(FullyRead()).out;

  EXPECT_THAT(text, HasSubstr("\nMADE OF  anon 600 MiB → 1.9 GiB · file 30 MiB · kernel 12 MiB\n"
                              "PSI      some 3 % · full 1 %\n"
                              "EARLIER  anon, file, kernel, PSI: as last read before the kill\n"
                              "UNKNOWN  shmem, sock, tasks\n"));
}

TEST(CurveTest, SaysThatSpikesAreNotSeenWhereNoReadingHasThem) {
  EXPECT_THAT(Curve(Leak()).out,
              HasSubstr(" spikes between two readings are not seen (no usage_max)\n"));
  EXPECT_THAT(Curve(FullyRead()).out, Not(HasSubstr("spikes")));
}

TEST(CurveTest, DrawsOneReading) {
  const VerbResult result = Curve(OneReading());

  ExpectGolden("curve_one_reading.txt", result.out);
  EXPECT_THAT(result.out, Not(HasSubstr("2 GiB → 2 GiB")));
}

TEST(CurveTest, GivesTheCgroupALineOfItsOwnUnlessItIsTheSubject) {
  v1::Event event = Leak();
  EXPECT_THAT(Curve(event).out,
              HasSubstr("\nmemory of /system.slice/batch.service\ncgroup /kubepods/pod1/worker\n"));

  event.mutable_oom()->mutable_curve()->set_cgroup_path("/system.slice/batch.service");
  EXPECT_THAT(Curve(event).out, HasSubstr("\nmemory of /system.slice/batch.service\nlimit 2 GiB"));
}

TEST(CurveTest, DrawsInBlocksWithSpikesAboveThem) {
  v1::Event event = Leak();
  v1::CurvePoint& point = *event.mutable_oom()->mutable_curve()->mutable_points(30);
  point.set_usage_max_bytes(1500 * kMib);

  const VerbResult result = Curve(event, ChartStyle::kBlocks);

  ExpectGolden("curve_blocks.txt", result.out);
  EXPECT_THAT(result.out, HasSubstr("^ is the highest usage since"));
}

// One of ten minutes, and more short ones without a reason than are listed.
TEST(CurveTest, LeavesGapsBlankAndNamesTheFirst) {
  v1::Event event = Leak();
  v1::MemoryCurve& curve = *event.mutable_oom()->mutable_curve();
  const int64_t killed = event.event_time().seconds();
  for (int i = 0; i < 9; ++i) {
    v1::CurveGap* gap = curve.add_gaps();
    gap->mutable_start_time()->set_seconds(killed - 1795 + i * 90);
    gap->mutable_end_time()->set_seconds(killed - 1795 + i * 90 + 20);
  }

  const VerbResult result = Curve(event);

  ExpectGolden("curve_gaps.txt", result.out);
  EXPECT_THAT(result.out, HasSubstr("GAPS     02:32:41 – 02:42:41 (10 min): the agent did not "
                                    "run\n         02:42:46 – 02:43:06 (20 s): no reason given"));
  EXPECT_THAT(result.out, HasSubstr("… and 2 more (-o table)"));
}

TEST(CurveTest, ListsItsPointsAndTheGapsBetweenThem) {
  v1::Event event = FullyRead();
  v1::MemoryCurve& curve = *event.mutable_oom()->mutable_curve();
  // Some before the gap, some after it, and the last.
  curve.mutable_points()->DeleteSubrange(45, curve.points_size() - 48);
  curve.mutable_points()->DeleteSubrange(0, 38);

  const VerbResult result = Curve(event, {}, {.format = OutputFormat::kTable, .width = 0});

  ExpectGolden("curve_table.txt", result.out);
  EXPECT_THAT(result.out, HasSubstr("\nGAP 2026-11-23 02:32:41.000Z – 2026-11-23 02:42:41.000Z: "
                                    "the agent did not run\n"));
  EXPECT_EQ(result.exit_code, kExitOk);
}

TEST(CurveTest, ItsTableFitsTheScreenAndNamesWhatDoesNot) {
  const VerbResult result = Curve(Leak(), {}, {.format = OutputFormat::kTable, .width = 80});

  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(TextWidth(line), 80U) << line;
  }
  EXPECT_THAT(result.out, HasSubstr("no room for: "));
  EXPECT_THAT(result.out, HasSubstr("WORKING SET"));
}

TEST(CurveTest, HasNoneOfAChangeOfPressureAndPointsToTheKill) {
  const VerbResult followed = CurveOf(CriticalSample());
  EXPECT_EQ(followed.exit_code, kExitNotFound);
  EXPECT_EQ(followed.error,
            "cr1tcx is a change of memory pressure; a curve is kept with a kill\n"
            "try: oombox curve 9f2mca0123456789   (the kill that followed)");

  const VerbResult alone = CurveOf(WarningSample());
  EXPECT_EQ(alone.exit_code, kExitNotFound);
  EXPECT_EQ(alone.error,
            "w4rn0x is a change of memory pressure; a curve is kept with a kill\n"
            "try: oombox top   (where the memory goes now); no kill is known to have followed "
            "(oombox explain w4rn0x)");
  EXPECT_EQ(alone.out, "");
}

TEST(CurveTest, HasNoneOfAGap) {
  const VerbResult result = CurveOf(GapEventSample());

  EXPECT_EQ(result.exit_code, kExitNotFound);
  EXPECT_THAT(result.error, HasSubstr("is no OOM kill: it has no memory curve"));
}

TEST(CurveTest, SaysWhyThereIsNone) {
  v1::Event event = HogEvent();
  event.mutable_oom()->clear_curve();
  v1::MissingField* missing = event.mutable_oom()->mutable_quality()->add_missing();
  missing->set_field("curve");
  missing->set_reason("nobody watched the memory");
  const VerbResult result = Curve(event);
  EXPECT_THAT(result.out + result.notes + result.error, HasSubstr("nobody watched the memory"));
}

}  // namespace
}  // namespace oombox
