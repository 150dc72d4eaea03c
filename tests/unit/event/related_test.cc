#include "agent/event/related.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

v1::Event KillOf(uint32_t tgid) {
  v1::Event event;
  v1::Victim* victim = event.mutable_oom()->add_victims();
  victim->set_tgid(tgid);
  victim->set_start_boottime_ns(7);
  v1::MemoryUser* user = event.mutable_oom()->add_top_users();
  user->set_tgid(tgid);
  user->set_start_boottime_ns(7);
  return event;
}

SignalRecord Signal(SignalKind kind, uint32_t tgid) {
  SignalRecord record;
  record.kind = kind;
  record.target.tgid = tgid;
  record.target.start_boottime_ns = 7;
  record.target.comm = "x";
  return record;
}

TEST(RelatedTest, AddsAProcessOnce) {
  v1::Event event = KillOf(42);

  EXPECT_TRUE(AddRelated(event, Signal(SignalKind::kSharer, 43)));
  EXPECT_FALSE(AddRelated(event, Signal(SignalKind::kSharer, 43)));
  EXPECT_TRUE(AddRelated(event, Signal(SignalKind::kCollateral, 44)));

  ASSERT_EQ(event.oom().related_size(), 2);
  EXPECT_EQ(event.oom().related(0).relation(), v1::RelatedProcess::RELATION_SHARER);
  EXPECT_EQ(event.oom().related(1).relation(), v1::RelatedProcess::RELATION_COLLATERAL);
}

TEST(RelatedTest, TakesNoVictimForARelatedProcess) {
  v1::Event event = KillOf(42);

  EXPECT_FALSE(AddRelated(event, Signal(SignalKind::kSharer, 42)));
}

TEST(RelatedTest, IsBounded) {
  v1::Event event = KillOf(42);
  for (uint32_t tgid = 100; tgid < 300; ++tgid) {
    AddRelated(event, Signal(SignalKind::kCollateral, tgid));
  }

  EXPECT_EQ(event.oom().related_size(), kMaxRelated);
}

TEST(RelatedTest, GivesVictimAndUserTheCommandLine) {
  v1::Event event = KillOf(42);
  const CmdlineRecord record{
      .tgid = 42, .start_boottime_ns = 7, .cut = true, .arguments = {"python3", "a b", "\x01"}};

  EXPECT_TRUE(AddCmdline(event, record));
  EXPECT_FALSE(AddCmdline(event, record));

  EXPECT_EQ(event.oom().victims(0).cmdline(), "python3 a b \\x01 ...");
  EXPECT_EQ(event.oom().top_users(0).cmdline(), event.oom().victims(0).cmdline());
}

TEST(RelatedTest, GivesNoOtherProcessTheCommandLine) {
  v1::Event event = KillOf(42);

  EXPECT_FALSE(AddCmdline(event, {.tgid = 42, .start_boottime_ns = 8, .arguments = {"x"}}));
  EXPECT_FALSE(AddCmdline(event, {.tgid = 43, .start_boottime_ns = 7, .arguments = {"x"}}));
}

}  // namespace
}  // namespace oombox
