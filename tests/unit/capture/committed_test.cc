#include "agent/capture/committed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "bpf/oombox_abi.h"
#include "tests/support/fake_journal.h"
#include "tests/support/memory_ring.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;
using testing::FakeJournal;
using ::testing::IsEmpty;
using testing::MemoryRing;

std::vector<JournalEntry> Entries(const std::vector<std::string>& records) {
  std::vector<JournalEntry> entries;
  for (const std::string& record : records) {
    entries.push_back({.bytes = record});
  }
  return entries;
}

size_t Count(const std::vector<std::string_view>& ring, const std::vector<std::string>& journal) {
  return CountCommitted(ring, Entries(journal));
}

TEST(CountCommittedTest, FindsTheBatchThatWasCommittedAndNotReleased) {
  EXPECT_EQ(Count({"c", "d", "e"}, {"a", "b", "c", "d"}), 2U);
  EXPECT_EQ(Count({"a", "b"}, {"a", "b"}), 2U);
}

TEST(CountCommittedTest, FindsNothingInARingThatWasReleased) {
  EXPECT_EQ(Count({"c", "d"}, {"a", "b"}), 0U);
  EXPECT_EQ(Count({}, {"a", "b"}), 0U);
  EXPECT_EQ(Count({"a"}, {}), 0U);
}

TEST(CountCommittedTest, DoesNotTakeARecordForCommittedThatIsNotAtTheJournalsEnd) {
  EXPECT_EQ(Count({"a", "c"}, {"a", "b"}), 0U);
}

TEST(CountCommittedTest, DoesNotReadBeyondAShorterRing) {
  EXPECT_EQ(Count({"b"}, {"a", "b", "c"}), 0U);
  EXPECT_EQ(Count({"c"}, {"a", "b", "c"}), 1U);
}

class RingTest : public ::testing::Test {
 protected:
  std::unique_ptr<RingReader> Reader() { return *RingReader::Map(ring_.fd(), ring_.bytes()); }

  void Commit(const std::vector<std::string_view>& records) {
    ASSERT_TRUE(journal_.Append(1, records).has_value());
  }

  MemoryRing ring_{64 << 10};
  FakeJournal journal_;
};

TEST_F(RingTest, AnAgentKilledBetweenCommitAndReleaseLeavesNothingTwice) {
  ring_.Put("one");
  ring_.Put("two");
  ring_.Put("three");
  Commit({"zero", "one", "two"});
  const auto reader = Reader();

  EXPECT_EQ(*ReleaseCommitted(*reader, journal_), 2U);

  EXPECT_THAT(reader->Peek(10), ElementsAre("three"));
}

TEST_F(RingTest, KeepsARingThatHasNothingTwice) {
  ring_.Put("one");
  Commit({"zero"});
  const auto reader = Reader();

  EXPECT_EQ(*ReleaseCommitted(*reader, journal_), 0U);

  EXPECT_THAT(reader->Peek(10), ElementsAre("one"));
}

std::string RecordAt(uint64_t boottime_ns, char mark, __u16 type = OOMBOX_RECORD_KILL) {
  oombox_record_header header{};
  header.type = type;
  header.boottime_ns = boottime_ns;
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes + mark;
}

TEST_F(RingTest, MovesALeftoverRingButForWhatOurOwnProgramsRecorded) {
  const std::string before = RecordAt(99, 'a');
  const std::string after = RecordAt(100, 'b');
  ring_.Put(before);
  ring_.Put(after);
  const auto reader = Reader();

  const auto counts = DrainLeftover(*reader, journal_, 1, 100);

  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->moved, 1U);
  EXPECT_EQ(counts->duplicates, 1U);
  EXPECT_THAT(journal_.records(), ElementsAre(before));
  EXPECT_THAT(reader->Peek(10), IsEmpty());
}

TEST_F(RingTest, MovesTheCommandLineOfAKillThatOurOwnProgramsWereTooLateFor) {
  const std::string kill = RecordAt(99, 'a');
  const std::string cmdline = RecordAt(101, 'b', OOMBOX_RECORD_CMDLINE);
  ring_.Put(kill);
  ring_.Put(cmdline);
  const auto reader = Reader();

  ASSERT_TRUE(DrainLeftover(*reader, journal_, 1, 100).has_value());

  EXPECT_THAT(journal_.records(), ElementsAre(kill, cmdline));
}

TEST_F(RingTest, FindsWhatItCommittedOfALeftoverRingBesideWhatItLeftOut) {
  const std::string first = RecordAt(1, 'a');
  const std::string ours = RecordAt(101, 'b');
  const std::string second = RecordAt(2, 'c');
  for (const std::string& record : {first, ours, second}) {
    ring_.Put(record);
  }
  Commit({first, second});  // and killed before the ring's room was given back
  const auto reader = Reader();

  const auto counts = DrainLeftover(*reader, journal_, 1, 100);

  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->duplicates, 3U);
  EXPECT_THAT(journal_.records(), ElementsAre(first, second));
}

TEST_F(RingTest, KeepsALeftoverRingThatTheJournalRefuses) {
  ring_.Put(RecordAt(1, 'a'));
  journal_.Refuse(true);
  const auto reader = Reader();

  EXPECT_FALSE(DrainLeftover(*reader, journal_, 1, 100).has_value());

  EXPECT_EQ(reader->Peek(10).size(), 1U);
}

TEST_F(RingTest, GoesOnWithALeftoverRingThatWasHalfMoved) {
  const std::string first = RecordAt(1, 'a');
  const std::string second = RecordAt(2, 'b');
  ring_.Put(first);
  ring_.Put(second);
  Commit({first});
  const auto reader = Reader();

  const auto counts = DrainLeftover(*reader, journal_, 1, 100);

  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->duplicates, 1U);
  EXPECT_THAT(journal_.records(), ElementsAre(first, second));
}

TEST_F(RingTest, MovesWhatIsOlderThanTheAttachment) {
  const std::string older = RecordAt(99, 'a');
  const std::string newer = RecordAt(100, 'b');
  ring_.Put(older);
  ring_.Put(newer);
  const auto reader = Reader();

  const auto counts = MoveOlder(*reader, journal_, 1, 100, 0);

  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->moved, 1U);
  EXPECT_EQ(counts->duplicates, 0U);
  EXPECT_THAT(journal_.records(), ElementsAre(older));
  EXPECT_THAT(reader->Peek(10), ElementsAre(newer));
}

// Ours were attached one by one, the other layout's still were.
TEST_F(RingTest, LeavesOutWhatTheOtherLayoutHasRecordedToo) {
  const std::string kill = RecordAt(98, 'a');
  const std::string cmdline = RecordAt(99, 'b', OOMBOX_RECORD_CMDLINE);
  ring_.Put(kill);
  ring_.Put(cmdline);
  const std::string alone = RecordAt(100, 'c');
  ring_.Put(alone);
  ring_.Put(RecordAt(110, 'd'));
  const auto reader = Reader();

  const auto counts = MoveOlder(*reader, journal_, 1, 110, 100);

  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(counts->duplicates, 1U);
  EXPECT_THAT(journal_.records(), ElementsAre(cmdline, alone));
  EXPECT_EQ(reader->Peek(10).size(), 1U);
}

TEST_F(RingTest, CountsWhatItFindsCommitted) {
  const std::string older = RecordAt(99, 'a');
  ring_.Put(older);
  Commit({older});
  const auto reader = Reader();

  EXPECT_EQ(MoveOlder(*reader, journal_, 1, 100, 0)->duplicates, 1U);
}

}  // namespace
}  // namespace oombox
