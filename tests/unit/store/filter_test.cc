#include "agent/store/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oombox {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

EventAttributes Row() {
  return {.id = "4k7qzd0000000000",
          .kind = "oom",
          .time_ns = 1'763'866'800'000'000'000,  // 2025-11-23T03:00:00Z
          .node = "ip-10-3-9-2",
          .cluster = "prod",
          .cgroup = "/kubepods/burstable/pod[1]/worker?",
          .comm = "python3",
          .workload = "sie/ocr",
          .tgid = 31,
          .namespace_name = "sie",
          .pod = "ocr-7d9f-x2x1z",
          .container = "worker",
          .owner = "deployment/ocr",
          .image = "registry/ocr:1.2",
          .qos = "Burstable"};
}

bool Selects(std::string_view text) {
  const auto filter = Filter::Parse(text);
  EXPECT_TRUE(filter.has_value()) << text << ": " << filter.error().message;
  return filter.has_value() && filter->Matches(Row());
}

TEST(FilterTest, SelectsWhatItDescribes) {
  for (const char* text : {"",
                           "  ",
                           "kind = oom",
                           "kind=oom",
                           "kind = \"oom\"",
                           "kind = 'oom'",
                           "comm = python*",
                           "comm = *",
                           "comm = \"*thon3\"",
                           "comm != java",
                           "namespace = sie AND pod = \"ocr-*\" AND container = worker",
                           "owner = \"deployment/ocr\"",
                           "image : \"ocr:1\" AND qos = Burstable",
                           "comm : tho",
                           "cgroup:kubepods",
                           "cgroup = \"*pod[1]*\"",
                           "cgroup : \"worker?\"",
                           "tgid = 31",
                           "tgid > 30",
                           "tgid <= 31",
                           "id = 4k7q*",
                           "node >= ip-10",
                           "cluster < q",
                           "NOT kind = gap",
                           "NOT NOT kind = oom",
                           "time >= 2025-11-23T03:00:00Z",
                           "time < 2025-11-23T04:00:00.5+01:00 OR tgid = 31",
                           "time = \"2025-11-23T04:00:00+01:00\"",
                           "(kind = gap OR kind = oom) AND tgid = 31",
                           "kind = oom AND comm = python3 AND NOT tgid = 1",
                           "workload = sie/ocr\n AND\ttgid = 31"}) {
    EXPECT_TRUE(Selects(text)) << text;
  }
}

TEST(FilterTest, LeavesOutWhatItDoesNotDescribe) {
  for (const char* text :
       {"kind = gap", "comm = Python3", "comm = python", "comm : java", "comm != \"py*\"",
        "cgroup = \"*pod?1]*\"", "cgroup = \"*worker\"", "tgid < 31", "tgid != 31",
        "NOT kind = oom", "time > 2025-11-23T03:00:00Z", "kind = gap OR kind = pressure",
        "comm = \"\"", "kind = oom AND (tgid = 1 OR tgid = 2)"}) {
    EXPECT_FALSE(Selects(text)) << text;
  }
}

TEST(FilterTest, AnUnknownAttributeIsNeitherLessNorGreater) {
  const EventAttributes gap{.kind = "gap"};

  for (const char* text : {"tgid < 100", "tgid >= -5", "comm < z", "workload <= z"}) {
    EXPECT_FALSE(Filter::Parse(text).value().Matches(gap)) << text;
  }
  EXPECT_TRUE(Filter::Parse("comm = \"\" AND tgid != 5").value().Matches(gap));
}

struct BadFilter {
  const char* text;
  int character;
  const char* reason;
};

class FilterErrorTest : public testing::TestWithParam<BadFilter> {};

TEST_P(FilterErrorTest, NamesTheCharacterAndTheReason) {
  const auto filter = Filter::Parse(GetParam().text);

  ASSERT_FALSE(filter.has_value());
  EXPECT_EQ(filter.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(filter.error().message,
              StartsWith(fmt::format("filter, character {}: ", GetParam().character)));
  EXPECT_THAT(filter.error().message, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Texts, FilterErrorTest,
    testing::Values(
        BadFilter{"kin = oom", 1, "no field 'kin'; fields are id, kind, time"},
        BadFilter{"kind = oom AND", 15, "expected a field"},
        BadFilter{"kind", 5, "expected an operator"}, BadFilter{"kind =", 7, "expected a value"},
        BadFilter{"kind ~ oom", 6, "expected an operator"},
        BadFilter{"kind = ooom", 8, "kinds are oom, no_victim, pressure, gap"},
        BadFilter{"kind = oom comm = x", 12, "expected AND or OR"},
        BadFilter{"kind = oom and comm = x", 12, "in capitals"},
        BadFilter{"kind = oom AND comm = x OR tgid = 1", 25, "need parentheses"},
        BadFilter{"(kind = oom", 1, "never closed"},
        BadFilter{"kind = oom)", 11, "')' without '('"},
        BadFilter{"(kind = oom comm = x)", 13, "expected AND, OR or ')'"},
        BadFilter{"comm = \"x", 8, "never closed"}, BadFilter{"comm = 'x\"", 8, "never closed"},
        BadFilter{"comm = \"a\\nb\"", 10, "a backslash"},
        BadFilter{"comm = \"a\"b", 11, "after the quote"},
        BadFilter{"comm = a=b", 9, "only inside quotes"}, BadFilter{"comm = AND", 8, "not AND"},
        BadFilter{"comm = (x)", 8, "quote it"}, BadFilter{"tgid = many", 8, "no whole number"},
        BadFilter{"tgid = 99999999999999999999", 8, "no whole number"},
        BadFilter{"tgid : 3", 6, "is a number"}, BadFilter{"time > yesterday", 8, "no time like"},
        BadFilter{"time > 2026-11-23", 8, "no time like"}));

TEST(FilterTest, RefusesWhatIsTooMuch) {
  std::string comparisons = "tgid = 1";
  for (int i = 0; i < 64; ++i) {
    comparisons += " OR tgid = 1";
  }
  const std::string deep(40, '(');

  EXPECT_THAT(Filter::Parse(comparisons).error().message, HasSubstr("more than 64 comparisons"));
  EXPECT_THAT(Filter::Parse(deep + "tgid = 1").error().message, HasSubstr("nested deeper than 32"));
  EXPECT_THAT(Filter::Parse("comm = " + std::string(4096, 'x')).error().message,
              HasSubstr("longer than 4096 bytes"));
}

TEST(FilterTest, RefusesControlCharactersAndBrokenUtf8) {
  for (const std::string& text : {std::string("comm = \"a\0b\"", 12),
                                  std::string("comm = \"\x1b[1m\""), std::string("comm = \xff")}) {
    EXPECT_THAT(Filter::Parse(text).error().message, HasSubstr("control characters"));
  }
}

TEST(FilterTest, LeavesSupersededEventsOutUnlessTheyAreNamed) {
  v1::Event event;
  event.mutable_oom()->set_superseded_by("4k7qzd0000000000");
  const EventAttributes superseded = AttributesOf(event);

  for (const char* text : {"", "kind = oom", "kind = *", "NOT kind = gap", "tgid = 0"}) {
    EXPECT_FALSE(Filter::Parse(text)->Matches(superseded)) << text;
  }
  EXPECT_TRUE(Filter::Parse("kind = superseded")->Matches(superseded));
  event.mutable_no_kill()->set_kind(v1::NoKillEvent::KIND_INIT_KILLED);
  EXPECT_FALSE(Filter().Matches(AttributesOf(event)));
  EXPECT_TRUE(Filter::Parse("kind = no_kill")->Matches(AttributesOf(event)));
  event.mutable_no_kill()->set_kind(v1::NoKillEvent::KIND_NO_VICTIM);
  EXPECT_TRUE(Filter().Matches(AttributesOf(event)));
  EXPECT_TRUE(Filter::Parse("kind = oom OR kind = superseded")->Matches(superseded));
}

TEST(FilterTest, AttributesOfUntrustedEventsAreEscaped) {
  v1::Event event;
  event.mutable_oom()->add_victims()->set_comm("a\x1b[31m");
  event.mutable_event_time()->set_seconds(std::numeric_limits<int64_t>::max());

  const EventAttributes attributes = AttributesOf(event);

  EXPECT_EQ(attributes.comm, "a\\x1b[31m");
  EXPECT_EQ(attributes.time_ns, std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace oombox
