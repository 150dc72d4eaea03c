#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/event_reader.h"
#include "tools/oombox/render/yaml.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

VerbResult Get(const v1::Event& event, OutputFormat format) {
  return RunVerb(SourceOf({event}), {.format = format},
                 [](const VerbContext& context) { return RunGet("latest", context); });
}

TEST(GetTest, PrintsYamlInTheOrderOfTheContract) {
  ExpectGolden("get_hog.yaml", Get(HogEvent(), OutputFormat::kDefault).out);
}

TEST(GetTest, PrintsJson) {
  ExpectGolden("get_hog.json", Get(HogEvent(), OutputFormat::kJson).out);
}

TEST(GetTest, PrintsJsonThatReadsBackAsTheSameEvent) {
  for (const OutputFormat format : {OutputFormat::kJson, OutputFormat::kJsonLines}) {
    const auto saved = ReadSavedEvents(Get(ChildEvent(), format).out);

    ASSERT_TRUE(saved.has_value()) << saved.error().message;
    ASSERT_EQ(saved->events.size(), 1u);
    EXPECT_EQ(saved->events[0].SerializeAsString(), ChildEvent().SerializeAsString());
  }
}

TEST(GetTest, SaysWhatToTryWhenJsonCannotWriteIt) {
  v1::Event event = HogEvent();
  event.mutable_oom()->mutable_quality()->mutable_capture_latency()->set_nanos(2'000'000'000);

  EXPECT_THAT(Get(event, OutputFormat::kJson).error, HasSubstr("\ntry: another format (-o)"));
  EXPECT_THAT(Get(event, OutputFormat::kYaml).out, HasSubstr(event.event_id()));
}

TEST(GetTest, KeepsHostileNamesOutOfEveryFormat) {
  for (const OutputFormat format :
       {OutputFormat::kYaml, OutputFormat::kJson, OutputFormat::kJsonLines}) {
    const std::string text = Get(HostileEvent(), format).out;
    EXPECT_THAT(text, Not(HasSubstr("\033")));
    EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
    EXPECT_THAT(text, HasSubstr("\\x1b"));
  }
}

TEST(YamlScalarTest, QuotesWhatAReaderCouldTakeForSomethingElse) {
  for (const char* text : {"", "yes", "Null", "1742", "1e3", "-", "- a", "a: b", "#x", "~", "*a",
                           "&a", "a b", "{", ".5", "0x1f", "2026-11-23", "ünicode"}) {
    EXPECT_THAT(YamlScalar(text), ::testing::StartsWith("\"")) << text;
  }
}

TEST(YamlScalarTest, LeavesNamesAndPathsPlain) {
  for (const char* text : {"python3", "/system.slice/a-b_c.service", "OOM_SCOPE_NODE", "node-1"}) {
    EXPECT_EQ(YamlScalar(text), text);
  }
}

TEST(YamlScalarTest, EscapesQuotesAndBackslashes) {
  EXPECT_EQ(YamlScalar("a\"b\\x1b"), "\"a\\\"b\\\\x1b\"");
}

}  // namespace
}  // namespace oombox
