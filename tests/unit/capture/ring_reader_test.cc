#include "agent/capture/ring_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_ring.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MemoryRing;

class RingReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto reader = RingReader::Map(ring_.fd(), ring_.bytes());
    ASSERT_TRUE(reader.has_value()) << reader.error().message;
    reader_ = std::move(*reader);
  }

  MemoryRing ring_{64 << 10};
  std::unique_ptr<RingReader> reader_;
};

TEST_F(RingReaderTest, ShowsRecordsInTheKernelsOrder) {
  ring_.Put("one");
  ring_.Put("second");

  EXPECT_THAT(reader_->Peek(10), ElementsAre("one", "second"));
}

TEST_F(RingReaderTest, GivesNothingBackBeforeRelease) {
  ring_.Put("one");

  reader_->Peek(10);

  EXPECT_EQ(ring_.consumer(), 0U);
  EXPECT_GT(reader_->PendingBytes(), 0U);
  EXPECT_THAT(reader_->Peek(10), ElementsAre("one"));
}

TEST_F(RingReaderTest, GivesBackExactlyWhatItShowed) {
  ring_.Put("one");
  ring_.Put("two");

  reader_->Peek(1);
  reader_->Release();

  EXPECT_THAT(reader_->Peek(10), ElementsAre("two"));
}

TEST_F(RingReaderTest, StopsAtARecordThatIsNotCommittedYet) {
  ring_.Put("one");
  ring_.Put("two", BPF_RINGBUF_BUSY_BIT);

  EXPECT_THAT(reader_->Peek(10), ElementsAre("one"));
  ring_.Commit("two");
  EXPECT_THAT(reader_->Peek(10), ElementsAre("one", "two"));
}

TEST_F(RingReaderTest, SkipsDiscardedRecordsAndGivesThemBack) {
  ring_.Put("gone", BPF_RINGBUF_DISCARD_BIT);

  EXPECT_THAT(reader_->Peek(10), IsEmpty());
  reader_->Release();

  EXPECT_EQ(reader_->PendingBytes(), 0U);
}

TEST_F(RingReaderTest, GoesOnWhereAnEarlierReaderReleased) {
  ring_.Put("one");
  ring_.Put("two");
  reader_->Peek(1);
  reader_->Release();

  auto next = RingReader::Map(ring_.fd(), ring_.bytes());

  ASSERT_TRUE(next.has_value());
  EXPECT_THAT((*next)->Peek(10), ElementsAre("two"));
}

}  // namespace
}  // namespace oombox
