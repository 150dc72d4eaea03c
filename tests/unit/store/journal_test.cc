#include "agent/store/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "agent/common/clock.h"
#include "agent/store/journal_id.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::SizeIs;

constexpr int64_t kDay = int64_t{86400} * 1'000'000'000;

class JournalTest : public testing::Test {
 protected:
  std::unique_ptr<Journal> Open(uint64_t max_bytes = 64u << 20) {
    auto journal = Journal::Open({.path = dir_.File("journal.db"), .max_bytes = max_bytes});
    EXPECT_TRUE(journal.has_value()) << journal.error().message;
    return std::move(journal).value();
  }

  static int64_t Begin(Journal& journal, const std::string& boot_id = "boot-1") {
    return journal.BeginSession({.boot_id = boot_id, .kernel_release = "6.1.0"}).value().id;
  }

  static int64_t Append(Journal& journal, int64_t session, std::vector<std::string_view> records) {
    return journal.Append(session, records).value();
  }

  TempDir dir_;
};

TEST_F(JournalTest, ReturnsRecordsInOrderWithTheirBytes) {
  auto journal = Open();
  const int64_t session = Begin(*journal);
  const std::string binary("\0\xff\n", 3);

  const int64_t last = Append(*journal, session, {"one", binary, ""});

  const auto entries = journal->ReadAfter(0, 10).value();
  EXPECT_THAT(entries,
              ElementsAre(Field(&JournalEntry::bytes, "one"), Field(&JournalEntry::bytes, binary),
                          Field(&JournalEntry::bytes, "")));
  EXPECT_EQ(entries.back().id, last);
  EXPECT_EQ(entries.back().session_id, session);
  EXPECT_GT(entries.back().committed_boottime_ns, 0u);
}

TEST_F(JournalTest, ReadsFromTheGivenPlaceUpToTheLimit) {
  auto journal = Open();
  const int64_t session = Begin(*journal);
  const int64_t first = Append(*journal, session, {"a"});
  Append(*journal, session, {"b", "c", "d"});

  EXPECT_THAT(journal->ReadAfter(first, 2).value(),
              ElementsAre(Field(&JournalEntry::bytes, "b"), Field(&JournalEntry::bytes, "c")));
}

TEST_F(JournalTest, KeepsEverythingWhenOpenedAgain) {
  int64_t last = 0;
  {
    auto journal = Open();
    last = Append(*journal, Begin(*journal), {"kept"});
  }

  auto journal = Open();

  EXPECT_THAT(journal->ReadAfter(0, 10).value(), SizeIs(1));
  EXPECT_EQ(journal->LastId().value(), last);
  EXPECT_EQ(journal->moved_aside(), "");
}

TEST_F(JournalTest, FindsTheSessionOfABootAgain) {
  auto journal = Open();
  const JournalSession made = journal
                                  ->BeginSession({.boot_id = "boot-1",
                                                  .kernel_release = "6.1.0",
                                                  .memory_total_bytes = 1u << 30,
                                                  .page_size = 16384,
                                                  .possible_cpus = 8})
                                  .value();

  const JournalSession again = journal->BeginSession({.boot_id = "boot-1"}).value();
  const JournalSession other = journal->BeginSession({.boot_id = "boot-2"}).value();

  EXPECT_EQ(again.id, made.id);
  EXPECT_EQ(again.page_size, 16384u);
  EXPECT_EQ(again.possible_cpus, 8u);
  EXPECT_NE(other.id, made.id);
  EXPECT_EQ(journal->Session(made.id).value().memory_total_bytes, 1u << 30);
}

TEST_F(JournalTest, SaysThatASessionDoesNotExist) {
  auto journal = Open();

  EXPECT_EQ(journal->Session(7).error().code, ErrorCode::kNotFound);
}

TEST_F(JournalTest, RefusesRecordsOfASessionThatWasNeverBegun) {
  auto journal = Open();
  const std::vector<std::string_view> records = {"x"};

  EXPECT_EQ(journal->Append(7, records).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(journal->LastId().value(), 0);
}

TEST_F(JournalTest, RemovesOnlyDerivedEntriesAboveItsSize) {
  constexpr uint64_t kMaxBytes = 256u << 10;
  auto journal = Open(kMaxBytes);
  const int64_t session = Begin(*journal);
  const std::string record(4096, 'x');
  int64_t half = 0;
  for (int i = 0; i < 200; ++i) {
    const int64_t id = Append(*journal, session, {record});
    half = i == 99 ? id : half;
  }

  ASSERT_TRUE(journal->Retain(half, WallNowNs()).has_value());

  // Twice as much as allowed is not derived yet: that must stay.
  const auto entries = journal->ReadAfter(0, 1000).value();
  ASSERT_THAT(entries, SizeIs(100));
  EXPECT_EQ(entries.front().id, NextJournalId(half, true));
}

TEST_F(JournalTest, RemovesOnlyDerivedEntriesThatAreTooOld) {
  auto journal = Open();
  const int64_t session = Begin(*journal);
  const int64_t derived = Append(*journal, session, {"a", "b"});
  Append(*journal, session, {"not derived"});

  ASSERT_TRUE(journal->Retain(derived, WallNowNs() + 29 * kDay).has_value());
  EXPECT_THAT(journal->ReadAfter(0, 10).value(), SizeIs(3));
  ASSERT_TRUE(journal->Retain(derived, WallNowNs() + 31 * kDay).has_value());
  EXPECT_THAT(journal->ReadAfter(0, 10).value(),
              ElementsAre(Field(&JournalEntry::bytes, "not derived")));
}

TEST_F(JournalTest, RefusesMoreThanItsBoundOfWhatIsNotDerived) {
  constexpr uint64_t kMaxBytes = 64u << 10;
  auto journal = Open(kMaxBytes);
  const int64_t session = Begin(*journal);
  const std::string record(4096, 'x');
  const std::vector<std::string_view> records = {record};
  Result<int64_t> last = 0;
  size_t taken = 0;
  int64_t derived = 0;
  while (taken < 1000 && (last = journal->Append(session, records))) {
    derived = *last;
    ++taken;
  }

  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code, ErrorCode::kExhausted);
  EXPECT_GE(taken * record.size(), (Journal::kUnderivedFactor - 1) * kMaxBytes);
  // With what is derived removed there is room again.
  ASSERT_TRUE(journal->Retain(derived, WallNowNs()).has_value());
  EXPECT_TRUE(journal->Append(session, records).has_value());
}

TEST_F(JournalTest, NeverUsesAnIdTwice) {
  auto journal = Open();
  const int64_t session = Begin(*journal);
  const int64_t before = Append(*journal, session, {"a", "b"});
  ASSERT_TRUE(journal->Retain(before, WallNowNs() + 31 * kDay).has_value());
  ASSERT_THAT(journal->ReadAfter(0, 10).value(), SizeIs(0));

  EXPECT_EQ(journal->LastId().value(), before);
  EXPECT_GT(Append(*journal, session, {"c"}), before);
}

TEST_F(JournalTest, ReadsItsLastEntriesInOrder) {
  auto journal = Open();
  Append(*journal, Begin(*journal), {"a", "b", "c"});

  EXPECT_THAT(journal->ReadLast(2).value(),
              ElementsAre(Field(&JournalEntry::bytes, "b"), Field(&JournalEntry::bytes, "c")));
  EXPECT_THAT(journal->ReadLast(9).value(), SizeIs(3));
}

TEST_F(JournalTest, NumbersKillsSoThatTwoIdsTellHowManyLieBetween) {
  auto journal =
      Journal::Open({.path = dir_.File("journal.db"),
                     .is_kill = [](std::string_view record) { return record == "kill"; }})
          .value();
  const int64_t session = Begin(*journal);
  const int64_t aside = Append(*journal, session, {"signal"});
  const int64_t one = Append(*journal, session, {"kill", "signal", "signal"});
  const int64_t three = Append(*journal, session, {"kill", "signal", "kill"});
  const auto entries = journal->ReadAfter(0, 10).value();

  EXPECT_EQ(KillsBetween(0, aside), 0U);
  EXPECT_EQ(KillsBetween(0, one), 1U);
  EXPECT_EQ(KillsBetween(one, three), 2U);
  EXPECT_EQ(KillsBetween(three, one), 0U);
  EXPECT_EQ(entries.back().id, three);
  EXPECT_TRUE(IsKillId(entries.back().id));
  EXPECT_FALSE(IsKillId(entries.front().id));
}

TEST_F(JournalTest, CountsTheKillsOfAnEarlierVersionsNumbers) {
  EXPECT_EQ(KillsBetween(3, 5), 2U);
  EXPECT_EQ(KillsBetween(5, NextJournalId(5, true)), 1U);
  EXPECT_EQ(KillsBetween(5, NextJournalId(5, false)), 0U);
  EXPECT_EQ(KillsBetween(3, NextJournalId(NextJournalId(5, false), true)), 3U);
  EXPECT_TRUE(IsKillId(5));
}

TEST_F(JournalTest, IsReadWhileItIsWritten) {
  auto journal = Open();
  const int64_t session = Begin(*journal);
  std::atomic<bool> written = false;
  std::jthread writer([&] {
    for (int i = 0; i < 50; ++i) {
      Append(*journal, session, {"a", "b"});
    }
    written = true;
  });

  // A batch is seen whole or not at all.
  bool last_round = false;
  size_t seen = 0;
  while (!last_round) {
    last_round = written;
    seen = journal->ReadAfter(0, 1000).value().size();
    ASSERT_EQ(seen % 2, 0u);
  }
  EXPECT_EQ(seen, 100u);
}

}  // namespace
}  // namespace oombox
