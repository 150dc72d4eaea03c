#include "agent/store/basic_view.h"

#include <gtest/gtest.h>

#include "agent/store/filter.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

v1::Event RichEvent() {
  v1::Event event = TestOom(1);
  v1::OomEvent* oom = event.mutable_oom();
  oom->add_victims()->set_comm("second");
  oom->set_victims_total(2);
  oom->mutable_cgroups(0)->set_usage_bytes(5);
  oom->mutable_cgroups(0)->mutable_stat()->set_anon_bytes(4);
  oom->mutable_limit_hit()->set_cgroup_path("/kubepods/pod1");
  oom->mutable_limit_hit()->set_level(1);
  oom->add_top_users()->set_comm("big");
  oom->add_top_users()->set_comm("small");
  oom->add_top_allocators()->set_live_bytes(1);
  oom->mutable_curve()->set_limit_bytes(1);
  (*oom->mutable_annotations())["ticket"] = "OPS-1";
  return event;
}

TEST(BasicViewTest, KeepsWhatAListLineShows) {
  const v1::Event basic = BasicView(RichEvent());

  EXPECT_EQ(basic.view(), v1::EVENT_VIEW_BASIC);
  EXPECT_EQ(basic.oom().victims(0).comm(), "python3");
  EXPECT_EQ(basic.oom().victims_total(), 2u);
  EXPECT_EQ(basic.oom().limit_hit().cgroup_path(), "/kubepods/pod1");
  EXPECT_EQ(basic.oom().top_users(0).comm(), "big");
  EXPECT_EQ(basic.oom().annotations().at("ticket"), "OPS-1");
}

TEST(BasicViewTest, LeavesTheBulkOut) {
  const v1::Event basic = BasicView(RichEvent());

  EXPECT_EQ(basic.oom().victims_size(), 1);
  EXPECT_EQ(basic.oom().top_users_size(), 1);
  EXPECT_EQ(basic.oom().top_allocators_size(), 0);
  EXPECT_FALSE(basic.oom().has_curve());
  ASSERT_EQ(basic.oom().cgroups_size(), 1);
  EXPECT_FALSE(basic.oom().cgroups(0).has_usage_bytes());
  EXPECT_FALSE(basic.oom().cgroups(0).has_stat());
}

TEST(BasicViewTest, KeepsEveryAttributeThatAFilterAsksFor) {
  const v1::Event event = RichEvent();
  const EventAttributes full = AttributesOf(event);
  const EventAttributes basic = AttributesOf(BasicView(event));

  EXPECT_EQ(basic.id, full.id);
  EXPECT_EQ(basic.kind, full.kind);
  EXPECT_EQ(basic.time_ns, full.time_ns);
  EXPECT_EQ(basic.node, full.node);
  EXPECT_EQ(basic.cluster, full.cluster);
  EXPECT_EQ(basic.cgroup, full.cgroup);
  EXPECT_EQ(basic.comm, full.comm);
  EXPECT_EQ(basic.workload, full.workload);
  EXPECT_EQ(basic.tgid, full.tgid);
}

TEST(BasicViewTest, LeavesAGapAsItIs) {
  v1::Event gap;
  gap.mutable_gap()->set_detail("ring full");

  EXPECT_EQ(BasicView(gap).gap().detail(), "ring full");
}

}  // namespace
}  // namespace oombox
