#include "agent/capture/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <condition_variable>
#include <mutex>

#include "agent/common/clock.h"
#include "tests/support/fake_journal.h"
#include "tests/support/memory_ring.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;
using testing::FakeJournal;
using testing::MemoryRing;

// A journal in memory that refuses when told to.
class CaptureTest : public ::testing::Test {
 protected:
  std::unique_ptr<Capture> Start() {
    auto ring = RingReader::Map(ring_.fd(), ring_.bytes());
    EXPECT_TRUE(ring.has_value());
    auto capture =
        Capture::Start({.ring_fd = wake_.get(),
                        .ring = std::move(*ring),
                        .journal = journal_,
                        .session_id = 1,
                        .on_committed = [this](int64_t /*last*/) { ++committed_calls_; }});
    EXPECT_TRUE(capture.has_value());
    return std::move(*capture);
  }

  void Put(std::string_view record) {
    ring_.Put(record);
    eventfd_write(wake_.get(), 1);
  }

  MemoryRing ring_{64 << 10};
  UniqueFd wake_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  FakeJournal journal_;
  std::atomic<int> committed_calls_{0};
};

TEST_F(CaptureTest, MovesRecordsFromTheRingToTheJournal) {
  auto capture = Start();
  Put("one");
  Put("two");
  journal_.WaitForRecords(2);

  capture.reset();

  EXPECT_THAT(journal_.records(), ElementsAre("one", "two"));
  EXPECT_GE(committed_calls_.load(), 1);
}

TEST_F(CaptureTest, TakesWhatIsInTheRingWhenItStops) {
  ring_.Put("before");
  auto capture = Start();

  capture.reset();

  EXPECT_THAT(journal_.records(), ElementsAre("before"));
}

TEST_F(CaptureTest, LeavesRecordsInTheRingWhileTheJournalRefuses) {
  journal_.Refuse(true);
  auto capture = Start();
  Put("one");
  journal_.WaitForAttempts(1);
  EXPECT_EQ(ring_.consumer(), 0U);

  journal_.Refuse(false);
  journal_.WaitForRecords(1);
  capture.reset();

  EXPECT_THAT(journal_.records(), ElementsAre("one"));
}

TEST_F(CaptureTest, IsStalledWhenTheJournalDoesNotComeBack) {
  journal_.Hang(true);
  auto capture = Start();
  Put("one");
  journal_.WaitForAttempts(1);
  const uint64_t now = BootNowNs();

  EXPECT_FALSE(capture->stall().Look(now).has_value());
  const auto stalled = capture->stall().Look(now + StageStall::kHangNs);
  journal_.Hang(false);
  journal_.WaitForRecords(1);
  capture.reset();

  ASSERT_TRUE(stalled.has_value());
  EXPECT_LE(stalled->since_boottime_ns, now);
  EXPECT_EQ(stalled->reason, "a call to the disk has not come back");
}

TEST_F(CaptureTest, DoesNotSpinWhileTheJournalRefuses) {
  journal_.Refuse(true);
  auto capture = Start();
  Put("one");
  journal_.WaitForAttempts(2);  // a second after the first

  // The start, the record and one retry; a spinning thread makes thousands.
  EXPECT_LE(journal_.attempts(), 3);
}

TEST_F(CaptureTest, LosesNothingWhenItStopsWhileTheJournalRefuses) {
  journal_.Refuse(true);
  auto capture = Start();
  Put("one");
  journal_.WaitForAttempts(1);
  capture.reset();
  EXPECT_EQ(ring_.consumer(), 0U);

  journal_.Refuse(false);
  Start().reset();

  EXPECT_THAT(journal_.records(), ElementsAre("one"));
}

}  // namespace
}  // namespace oombox
