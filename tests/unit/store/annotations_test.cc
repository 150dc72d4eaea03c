#include "agent/store/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/store/event_store.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

class AnnotationsTest : public testing::Test {
 protected:
  AnnotationsTest() : store_(EventStore::Open({.path = dir_.File("events.db")}).value()) {
    Put(TestOom(1, 1));
  }

  size_t Put(const v1::Event& event) {
    return store_->Put(std::vector{event}, std::nullopt).value();
  }
  v1::Event Read() { return store_->Get(TestId(1)).value().event; }

  TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(AnnotationsTest, MakeANewRevisionUnderANewSeq) {
  const uint64_t before = store_->Get(TestId(1)).value().seq;

  const StoredEvent annotated = store_->Annotate("latest", {{"ticket", "OPS-1"}}).value();

  EXPECT_EQ(annotated.event.revision(), 2u);
  EXPECT_GT(annotated.seq, before);
  EXPECT_THAT(Read().oom().annotations(), UnorderedElementsAre(Pair("ticket", "OPS-1")));
  EXPECT_EQ(Read().oom().cgroups_size(), 4);
}

TEST_F(AnnotationsTest, AreMergedAndRemovedByAnEmptyValue) {
  ASSERT_TRUE(store_->Annotate(TestId(1), {{"a", "1"}, {"b", "2"}}).has_value());
  ASSERT_TRUE(store_->Annotate(TestId(1), {{"a", ""}, {"c", "3"}}).has_value());

  EXPECT_THAT(Read().oom().annotations(), UnorderedElementsAre(Pair("b", "2"), Pair("c", "3")));
}

TEST_F(AnnotationsTest, DoNotHideALaterRevisionOfTheEvent) {
  ASSERT_TRUE(store_->Annotate(TestId(1), {{"a", "1"}}).has_value());
  v1::Event later = TestOom(1, 2);
  later.mutable_oom()->mutable_victims(0)->set_cmdline("worker --queue x");

  // The annotation counts as revision 2, the event's own revision 2 must get in nevertheless.
  EXPECT_EQ(Put(later), 1u);

  const v1::Event event = Read();
  EXPECT_EQ(event.revision(), 3u);
  EXPECT_EQ(event.oom().victims(0).cmdline(), "worker --queue x");
  EXPECT_THAT(event.oom().annotations(), ElementsAre(Pair("a", "1")));
  EXPECT_EQ(Put(later), 0u);
}

TEST_F(AnnotationsTest, OfTheSenderCanBeHidden) {
  v1::Event annotated = TestOom(1, 2);
  (*annotated.mutable_oom()->mutable_annotations())["a"] = "sender";
  Put(annotated);
  ASSERT_TRUE(store_->Annotate(TestId(1), {{"a", ""}}).has_value());

  annotated.set_revision(3);
  Put(annotated);

  EXPECT_TRUE(Read().oom().annotations().empty());
}

TEST_F(AnnotationsTest, AreRefusedWhenKeyOrValueIsMalformed) {
  const std::string long_key(64, 'k');
  const std::string long_value(1025, 'v');
  const std::vector<AnnotationList> bad = {{},
                                           {{"", "x"}},
                                           {{"Key", "x"}},
                                           {{"a b", "x"}},
                                           {{long_key, "x"}},
                                           {{"a", long_value}},
                                           {{"a", "\x1b[31m"}}};
  for (const AnnotationList& set : bad) {
    EXPECT_EQ(store_->Annotate(TestId(1), set).error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(Read().revision(), 1u);
}

TEST_F(AnnotationsTest, AreBoundedInNumber) {
  AnnotationList many;
  for (int i = 0; i < 65; ++i) {
    many.emplace_back(fmt::format("key{}", i), "x");
  }

  EXPECT_EQ(store_->Annotate(TestId(1), many).error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(Read().oom().annotations().empty());
}

TEST_F(AnnotationsTest, BelongToKillsOnly) {
  v1::Event gap = TestOom(2);
  gap.mutable_gap()->set_cause(v1::GapEvent::CAUSE_RING_FULL);
  Put(gap);

  EXPECT_THAT(store_->Annotate(TestId(2), {{"a", "1"}}).error().message, HasSubstr("no OOM kill"));
}

}  // namespace
}  // namespace oombox
