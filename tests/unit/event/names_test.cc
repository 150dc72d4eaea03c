#include <gtest/gtest.h>

#include <set>

#include "agent/event/event_id.h"
#include "agent/event/gap.h"
#include "agent/event/workload.h"

namespace oombox {
namespace {

TEST(EventIdTest, IsStableForEver) {
  // Stored events and other versions rely on it: a change here is a break.
  EXPECT_EQ(KillEventId("7e0ffb61-2d4a-4e2a-9d1e-1b6d9b7b9c11", 4242, 123456789),
            "bd6vnjxqta01net2");
}

TEST(EventIdTest, IsSixteenCharactersOfTheAlphabet) {
  const std::string id = KillEventId("boot", 1, 2);

  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
}

TEST(EventIdTest, DiffersWhenAnyPartDiffers) {
  const std::set<std::string> ids{KillEventId("a", 1, 2), KillEventId("b", 1, 2),
                                  KillEventId("a", 2, 2), KillEventId("a", 1, 3),
                                  KillEventId("a/1", 2, 0)};

  EXPECT_EQ(ids.size(), 5U);
}

TEST(WorkloadTest, ReplacesIdsAndKeepsWords) {
  EXPECT_EQ(WorkloadOfCgroup("/kubepods/burstable/pod0f1c2d3e-1111-2222-3333-444455556666/"
                             "9a8b7c6d5e4f3a2b1c0d9a8b7c6d5e4f3a2b1c0d9a8b7c6d5e4f3a2b1c0d9a8b"),
            "/kubepods/burstable/pod*/*");
  EXPECT_EQ(
      WorkloadOfCgroup("/kubepods.slice/kubepods-pod0f1c2d3e_1111_2222_3333_444455556666.slice"),
      "/kubepods.slice/kubepods-pod*.slice");
  EXPECT_EQ(WorkloadOfCgroup("/system.slice/backup.service"), "/system.slice/backup.service");
  EXPECT_EQ(WorkloadOfCgroup("/user.slice/user-1000.slice/session-3.scope"),
            "/user.slice/user-*.slice/session-3.scope");
}

TEST(WorkloadTest, DoesNotTakeWordsOfHexLettersForIds) {
  EXPECT_EQ(WorkloadOfCgroup("/cafe/deadbeef/feed"), "/cafe/deadbeef/feed");
  EXPECT_EQ(WorkloadOfCgroup("/cache-v2"), "/cache-v2");
}

TEST(WorkloadTest, TakesRunsOfOneJobForTheSame) {
  EXPECT_EQ(WorkloadOfCgroup("/demo/worker-8123"), WorkloadOfCgroup("/demo/worker-9477"));
}

TEST(GapTest, IsTheSameEventForTheSameKey) {
  const EventContext context{.boot_id = "b"};
  Gap gap{.cause = v1::GapEvent::CAUSE_RING_FULL, .count = 3, .detail = "x", .key = "1"};

  const v1::Event first = AssembleGap(gap, context);
  const v1::Event again = AssembleGap(gap, context);
  gap.key = "2";
  const v1::Event other = AssembleGap(gap, context);

  EXPECT_EQ(first.event_id(), again.event_id());
  EXPECT_NE(first.event_id(), other.event_id());
  EXPECT_EQ(first.gap().count(), 3U);
  EXPECT_TRUE(first.final());
}

}  // namespace
}  // namespace oombox
