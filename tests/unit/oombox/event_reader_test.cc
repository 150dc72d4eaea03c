#include "tools/oombox/event_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/file_source.h"
#include "tools/oombox/render/json.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  const auto saved = ReadSavedEvents(text);
  return saved.has_value() ? "no error" : saved.error().message;
}

TEST(EventReaderTest, ReadsLinesObjectsAndArraysAlike) {
  const std::string a = *ToJson(HogEvent(), JsonLayout::kIndented);
  const std::string b = *ToJson(ChildEvent(), JsonLayout::kOneLine);

  for (const std::string& text : {a + b, b + a, "[" + a + ",\n" + b + "]"}) {
    const auto saved = ReadSavedEvents(text);
    ASSERT_TRUE(saved.has_value()) << saved.error().message;
    ASSERT_EQ(saved->events.size(), 2u);
    EXPECT_EQ(saved->events[0].event_id(), HogEvent().event_id());
  }
}

TEST(EventReaderTest, ReadsASavedListWithItsCoverage) {
  const auto printed =
      RunVerb(SourceOf({HogEvent()}, PartialCoverage()), {.format = OutputFormat::kJson},
              [](const VerbContext& context) { return RunList({}, context); });

  const auto saved = ReadSavedEvents(printed.out);

  ASSERT_TRUE(saved.has_value());
  EXPECT_EQ(saved->events.size(), 1u);
  EXPECT_EQ(saved->coverage->nodes_known(), 2000u);
}

TEST(EventReaderTest, ReadsASavedExplanation) {
  const auto printed =
      RunVerb(SourceOf({HogEvent()}), {.format = OutputFormat::kJson},
              [](const VerbContext& context) { return RunExplain("latest", context); });

  EXPECT_EQ(ReadSavedEvents(printed.out)->events.size(), 1u);
}

TEST(EventReaderTest, KeepsTheHighestRevision) {
  v1::Event later = HogEvent();
  later.set_revision(3);
  const std::string text =
      *ToJson(later, JsonLayout::kOneLine) + *ToJson(HogEvent(), JsonLayout::kOneLine);

  const auto saved = ReadSavedEvents(text);

  ASSERT_EQ(saved->events.size(), 1u);
  EXPECT_EQ(saved->events[0].revision(), 3u);
}

TEST(EventReaderTest, SkipsFieldsOfANewerVersion) {
  EXPECT_TRUE(ReadSavedEvents(R"({"event_id":"abcd","colour":"red"})").has_value());
}

TEST(EventReaderTest, NamesTheBadLine) {
  const std::string good = *ToJson(HogEvent(), JsonLayout::kOneLine);

  EXPECT_THAT(ErrorOf(good + "{\"event_id\": 5, \"oom\": 7}\n"),
              HasSubstr("line 2: no saved event"));
  EXPECT_THAT(ErrorOf(good + "\n\nhello\n"), HasSubstr("line 4: no JSON object begins here"));
  EXPECT_THAT(ErrorOf(good + "{\"event_id\": \"x"),
              HasSubstr("line 2: an object begins here and never ends"));
  EXPECT_THAT(ErrorOf("[" + good), HasSubstr("cut short"));
  EXPECT_THAT(ErrorOf("]"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("{\"a\": 1}"), HasSubstr("line 1: JSON, but no event"));
}

TEST(EventReaderTest, SurvivesDeepNesting) {
  EXPECT_THAT(ErrorOf(std::string(100'000, '{') + std::string(100'000, '}')), HasSubstr("line 1"));
}

TEST(EventReaderTest, TakesAnEmptyFileForNoEvents) {
  EXPECT_TRUE(ReadSavedEvents("\n")->events.empty());
}

TEST(FileSourceTest, SaysWhichFileCannotBeOpened) {
  const auto source = FileSource::Open("/nonexistent/saved.json");

  ASSERT_FALSE(source.has_value());
  EXPECT_EQ(source.error().message,
            "cannot open /nonexistent/saved.json: No such file or directory");
}

TEST(FileSourceTest, RefusesADirectory) {
  EXPECT_THAT(FileSource::Open("/tmp").error().message, HasSubstr("Is a directory"));
}

TEST(FileSourceTest, KnowsNothingOfNodes) {
  const auto source = SourceOf({});

  EXPECT_EQ(source->Nodes().error().code, ErrorCode::kInvalid);
}

TEST(FileSourceTest, FindsTheNewestKillUnderLatest) {
  const auto source =
      SourceOf({GapEventSample("gap00x0123456789", kMinute), HogEvent(), ChildEvent()});

  EXPECT_EQ(source->GetEvent("latest")->event_id(), HogEvent().event_id());
}

}  // namespace
}  // namespace oombox
