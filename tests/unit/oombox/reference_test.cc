#include "tools/oombox/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

v1::Event Named(const std::string& id, int64_t age_ns, const std::string& pod) {
  v1::Event event = HogEvent(id, age_ns);
  v1::Container* container = event.mutable_oom()->mutable_container();
  container->set_namespace_name("docs");
  container->set_pod_name(pod);
  container->set_owner("deployment/ocr");
  return event;
}

std::string Resolve(const std::string& reference) {
  const auto source = SourceOf({Named("aaaa000000000000", 2 * kHour, "ocr-1"),
                                Named("bbbb000000000000", kHour, "ocr-2"), HogEvent()});
  const auto id = ResolveReference(reference, source.get());
  return id ? *id : "error: " + id.error().message;
}

TEST(ReferenceTest, NamesTheNewestKillOfAPodOrAnOwner) {
  EXPECT_EQ(Resolve("docs/ocr-1"), "aaaa000000000000");
  EXPECT_EQ(Resolve("deployment/ocr"), "bbbb000000000000");
  EXPECT_EQ(Resolve("deploy/ocr"), "bbbb000000000000");
  EXPECT_EQ(Resolve("docs/deploy/ocr"), "bbbb000000000000");
}

TEST(ReferenceTest, DoesNotChooseBetweenNamespaces) {
  v1::Event other = Named("cccc000000000000", 3 * kHour, "ocr-1");
  other.mutable_oom()->mutable_container()->set_namespace_name("shop");
  const auto source = SourceOf({Named("aaaa000000000000", kHour, "ocr-1"), other});

  const auto id = ResolveReference("deploy/ocr", source.get());

  ASSERT_FALSE(id.has_value());
  EXPECT_EQ(
      id.error().message,
      "deploy/ocr is in several namespaces; say which:\n  docs/deploy/ocr\n  shop/deploy/ocr");
  EXPECT_EQ(*ResolveReference("shop/deploy/ocr", source.get()), "cccc000000000000");
}

TEST(ReferenceTest, LeavesIdsToTheServer) {
  EXPECT_EQ(Resolve("latest"), "latest");
  EXPECT_EQ(Resolve("aaaa"), "aaaa");
}

TEST(ReferenceTest, SaysWhenThereIsNoSuchKill) {
  EXPECT_THAT(Resolve("docs/nobody"), HasSubstr("no OOM kill of docs/nobody is recorded by"));
  EXPECT_THAT(Resolve("sts/ocr"), HasSubstr("try: oombox list"));
}

TEST(ReferenceTest, RefusesNonsenseBeforeAServerIsAsked) {
  for (const char* text :
       {"", "x", "/", "docs/", "/pod", "a/b/c", "docs/\033[2J", "ids with blanks"}) {
    EXPECT_FALSE(CheckReference(text).has_value()) << text;
  }
  for (const char* text : {"latest", "4k7qzd", "docs/ocr-1", "deploy/ocr", "docs/sts/ocr"}) {
    EXPECT_TRUE(CheckReference(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace oombox
