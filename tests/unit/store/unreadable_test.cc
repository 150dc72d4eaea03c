// Rows whose bytes do not parse: they must not hold up or hide any other.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/store/event_store.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UnreadableTest : public testing::Test {
 protected:
  UnreadableTest() : store_(EventStore::Open({.path = dir_.File("events.db")}).value()) {
    for (uint64_t i = 1; i <= 5; ++i) {
      EXPECT_TRUE(store_->Put(std::vector{TestOom(i)}, std::nullopt).has_value());
    }
  }

  void Run(const std::string& sql) {
    SQLite::Database database(dir_.File("events.db"), SQLite::OPEN_READWRITE);
    database.exec(sql);
  }
  void Damage(const std::string& seqs) {
    Run("UPDATE bodies SET basic = x'ff', full = x'ff' WHERE seq IN (" + seqs + ")");
  }

  static std::vector<std::string> Ids(const Result<std::vector<StoredEvent>>& events) {
    std::vector<std::string> ids;
    for (const StoredEvent& stored : events.value()) {
      ids.push_back(stored.event.event_id());
    }
    return ids;
  }

  TempDir dir_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(UnreadableTest, AListLeavesThemOutAndIsAsLongAsAsked) {
  Damage("3, 5");

  EXPECT_THAT(Ids(store_->List({.limit = 3})), ElementsAre(TestId(4), TestId(2), TestId(1)));
  EXPECT_THAT(Ids(store_->List({.limit = 1})), ElementsAre(TestId(4)));
}

TEST_F(UnreadableTest, AReaderBySeqGoesOnBehindThem) {
  Damage("1, 2, 4");

  EXPECT_THAT(Ids(store_->ReadAfter(0, 1)), ElementsAre(TestId(3)));
  EXPECT_THAT(Ids(store_->ReadAfter(3, 1)), ElementsAre(TestId(5)));
}

TEST_F(UnreadableTest, AStoreWithNothingElseIsEmpty) {
  Damage("1, 2, 3, 4, 5");

  EXPECT_THAT(Ids(store_->List({.limit = 2})), IsEmpty());
  EXPECT_THAT(Ids(store_->ReadAfter(0, 2)), IsEmpty());
  EXPECT_EQ(store_->Get("latest").error().code, ErrorCode::kNotFound);
}

TEST_F(UnreadableTest, EachIsCountedOnce) {
  Damage("2, 4");

  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_->List({}).has_value());
    ASSERT_TRUE(store_->ReadAfter(0, 10).has_value());
  }

  EXPECT_EQ(store_->Stats()->unreadable, 2u);
}

TEST_F(UnreadableTest, WhatTheSenderPassedOverIsNotAtTheCollector) {
  Damage("2, 4");
  ASSERT_TRUE(store_->ReadAfter(0, 10).has_value());

  ASSERT_TRUE(store_->Acknowledge("collector", 3, {}).has_value());
  EXPECT_EQ(store_->Stats()->refused, 1u);
  ASSERT_TRUE(store_->Acknowledge("collector", 5, {}).has_value());
  EXPECT_EQ(store_->Stats()->refused, 2u);
}

TEST_F(UnreadableTest, WhatRotsAfterItWasSentIsAtTheCollector) {
  ASSERT_TRUE(store_->Acknowledge("collector", 3, {}).has_value());
  Damage("2, 4");
  ASSERT_TRUE(store_->List({.limit = 10}).has_value());

  ASSERT_TRUE(store_->Acknowledge("collector", 5, {}).has_value());

  EXPECT_EQ(store_->Stats()->refused, 1u);
}

TEST_F(UnreadableTest, NoVersionIsOfferedWhatDoesNotParse) {
  Damage("2");
  ASSERT_TRUE(store_->ReadAfter(0, 10).has_value());
  ASSERT_TRUE(store_->Acknowledge("collector", 5, {}).has_value());

  ASSERT_TRUE(store_->NoteCollectorVersion("2").has_value());

  EXPECT_EQ(store_->Stats()->refused, 1u);
  EXPECT_EQ(store_->Stats()->last_seq, 5u);
}

TEST_F(UnreadableTest, LatestIsTheNewestThatCanBeRead) {
  Damage("5");

  EXPECT_EQ(store_->Get("latest")->event.event_id(), TestId(4));
  EXPECT_EQ(store_->Get(TestId(5)).error().code, ErrorCode::kCorrupt);
}

TEST_F(UnreadableTest, ANodeWhoseReportCannotBeReadStaysKnown) {
  v1::NodeReport report;
  report.mutable_node()->set_node_name("n1");
  report.mutable_coverage()->set_state(v1::Coverage::STATE_COMPLETE);
  ASSERT_TRUE(store_->PutReports(std::vector<EventStore::StoredReport>{{report, 1}}).has_value());
  Run("UPDATE reports SET report = x'ff'");

  const auto reports = store_->Reports();

  ASSERT_TRUE(reports.has_value()) << reports.error().message;
  ASSERT_EQ(reports->size(), 1u);
  EXPECT_EQ((*reports)[0].report.node().node_name(), "n1");
  EXPECT_FALSE((*reports)[0].report.has_coverage());
}

}  // namespace
}  // namespace oombox
