#include "tools/oombox/filter_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/store/filter.h"
#include "tests/unit/oombox/sample_events.h"
#include "tools/oombox/moment.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

std::string Build(const FilterOptions& options) {
  const auto filter = BuildFilter(options, kNow);
  return filter.has_value() ? *filter : "error: " + filter.error().message;
}

TEST(FilterBuilderTest, MakesNothingOfNothing) { EXPECT_EQ(Build({}), ""); }

TEST(FilterBuilderTest, JoinsOptionsWithAnd) {
  EXPECT_EQ(
      Build({.since = "3h", .until = "2026-11-23T03:00:00Z", .host = "node-*", .kind = "oom"}),
      "time >= \"2026-11-23T00:18:41.318Z\" AND time <= \"2026-11-23T03:00:00Z\" AND "
      "node = \"node-*\" AND kind = oom");
}

TEST(FilterBuilderTest, KeepsGapsInSightOfAChoiceAmongKills) {
  EXPECT_EQ(Build({.comm = "hog"}), "(kind = gap OR comm = \"hog\")");
  EXPECT_EQ(Build({.cgroup = "shop", .comm = "hog"}),
            "(kind = gap OR (cgroup : \"shop\" AND comm = \"hog\"))");
  EXPECT_EQ(Build({.comm = "hog", .kind = "oom"}), "kind = oom AND comm = \"hog\"");
}

TEST(FilterBuilderTest, ChoosesByWhatKubernetesCallsIt) {
  EXPECT_EQ(Build({.namespace_name = "docs", .pod = "ocr-*", .kind = "oom"}),
            "kind = oom AND namespace = \"docs\" AND pod = \"ocr-*\"");
  EXPECT_EQ(Build({.pod = "docs/ocr-1", .kind = "oom"}),
            "kind = oom AND namespace = \"docs\" AND pod = \"ocr-1\"");
  EXPECT_EQ(Build({.container = "worker", .image = "ocr:1", .qos = "Burstable", .kind = "oom"}),
            "kind = oom AND container = \"worker\" AND image : \"ocr:1\" AND qos = \"Burstable\"");
}

TEST(FilterBuilderTest, TakesKubectlsShortNamesOfOwners) {
  EXPECT_EQ(Build({.owner = "deploy/ocr", .kind = "oom"}),
            "kind = oom AND owner = \"deployment/ocr\"");
  EXPECT_EQ(Build({.owner = "*/ocr", .kind = "oom"}), "kind = oom AND owner = \"*/ocr\"");
}

TEST(FilterBuilderTest, RefusesNamesThatCannotMatch) {
  EXPECT_THAT(Build({.owner = "ocr"}), HasSubstr("try: deployment/ocr"));
  EXPECT_THAT(Build({.namespace_name = "a", .pod = "b/c"}), HasSubstr("and so does --namespace a"));
}

TEST(FilterBuilderTest, RefusesOneNamespaceAndAll) {
  EXPECT_THAT(Build({.namespace_name = "shop", .all_namespaces = true}), HasSubstr("one of them"));
}

TEST(FilterBuilderTest, TakesAStarForAPatternOverTheWholePath) {
  EXPECT_EQ(Build({.cgroup = "/a/*", .kind = "oom"}), "kind = oom AND cgroup = \"/a/*\"");
}

TEST(FilterBuilderTest, QuotesWhatWouldEndTheValue) {
  EXPECT_EQ(Build({.comm = "a\" OR kind = gap", .kind = "oom"}),
            "kind = oom AND comm = \"a\\\" OR kind = gap\"");
  EXPECT_EQ(QuoteFilterValue("\\x1b"), "\"\\\\x1b\"");
}

TEST(FilterBuilderTest, KeepsAnOrOfTheUsersFromReachingItsNeighbours) {
  EXPECT_EQ(Build({.kind = "oom", .expression = "(tgid = 1) OR (tgid = 2)"}),
            "kind = oom AND ((tgid = 1) OR (tgid = 2))");
}

TEST(FilterBuilderTest, MatchesTheEventsItNames) {
  const auto matches = [](const FilterOptions& options, const v1::Event& event) {
    return Filter::Parse(Build(options))->Matches(AttributesOf(event));
  };

  EXPECT_TRUE(matches({.since = "10m", .cgroup = "batch", .comm = "h*g"}, HogEvent()));
  EXPECT_FALSE(matches({.since = "5m"}, HogEvent()));
  EXPECT_TRUE(matches({.comm = "hog"}, GapEventSample()));
  EXPECT_FALSE(matches({.comm = "hog", .kind = "oom"}, GapEventSample()));
}

TEST(FilterBuilderTest, SaysWhichTimeIsTheWrongWayRound) {
  EXPECT_THAT(Build({.since = "1h", .until = "2h"}), HasSubstr("--since 1h is after --until 2h"));
}

TEST(FilterBuilderTest, RefusesToLookIntoTheFuture) {
  EXPECT_THAT(Build({.since = "2027-01-01T00:00:00Z"}), HasSubstr("in the future"));
}

TEST(FilterBuilderTest, NamesTheOptionOfABadDuration) {
  EXPECT_THAT(Build({.until = "3 hours"}), HasSubstr("--until: \"3 hours\" is no duration"));
}

TEST(FilterBuilderTest, PointsAtTheMistakeInAnExpression) {
  const std::string error = Build({.expression = "comm = a AND colour = red"});

  EXPECT_THAT(error, HasSubstr("--filter, character 14"));
  EXPECT_THAT(error, HasSubstr("\n  comm = a AND colour = red\n               ^"));
}

TEST(FilterBuilderTest, RefusesWildcardsItDoesNotHave) {
  EXPECT_THAT(Build({.comm = "python?"}), HasSubstr("--comm \"python?\", character 7: only *"));
}

TEST(FilterBuilderTest, RefusesRawControlCharacters) {
  EXPECT_THAT(Build({.comm = "a\033"}), HasSubstr("write them as \\xNN"));
}

TEST(DurationTest, ReadsUnitsAloneAndTogether) {
  using namespace std::chrono_literals;
  EXPECT_EQ(*ParseDuration("90s"), 90s);
  EXPECT_EQ(*ParseDuration("10m"), 10min);
  EXPECT_EQ(*ParseDuration("1h30m"), 90min);
  EXPECT_EQ(*ParseDuration("2d"), 48h);
  EXPECT_EQ(*ParseDuration("1w"), 168h);
}

TEST(DurationTest, RefusesNonsense) {
  for (const char* text : {"", "3", "h", "3x", "-3h", "3h-", "3.5h", "1e9d",
                           "99999999999999999999s", "11000d", "9999999d9999999d"}) {
    EXPECT_FALSE(ParseDuration(text).has_value()) << text;
  }
}

TEST(MomentTest, ReadsRfc3339WithOffset) {
  EXPECT_EQ(*ParseMoment("2026-11-23T05:18:41.318+02:00", 0), kNow);
  EXPECT_FALSE(ParseMoment("2026-11-23", kNow).has_value());
}

}  // namespace
}  // namespace oombox
