#include "agent/store/event_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "agent/common/clock.h"
#include "agent/store/sqlite_util.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class EventStoreTest : public testing::Test {
 protected:
  EventStoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    auto store =
        EventStore::Open({.path = dir_.File("events.db"), .expects_acknowledgement = true});
    ASSERT_TRUE(store.has_value()) << store.error().message;
    store_ = std::move(store).value();
  }

  size_t Put(std::vector<v1::Event> events) { return store_->Put(events, std::nullopt).value(); }

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

// The file as it was before version 5.
void WithoutWhatIsMissing(SQLite::Database& file) {
  file.exec(
      "DROP INDEX events_refused; ALTER TABLE events DROP COLUMN refused;"
      "ALTER TABLE state DROP COLUMN collector_version;"
      "ALTER TABLE state DROP COLUMN evicted_time; ALTER TABLE state DROP COLUMN missing_time;"
      "PRAGMA user_version = 4");
}

TEST_F(EventStoreTest, KeepsEventsAndEpochWhenOpenedAgain) {
  Put({TestOom(1)});
  const std::string epoch = store_->epoch();

  Reopen();

  EXPECT_EQ(store_->epoch(), epoch);
  EXPECT_EQ(store_->Get(TestId(1)).value().event.oom().victims(0).comm(), "python3");
}

TEST_F(EventStoreTest, ReplacesALowerRevisionUnderANewSeq) {
  Put({TestOom(1, 1)});
  const uint64_t first_seq = store_->Get(TestId(1)).value().seq;

  EXPECT_EQ(Put({TestOom(1, 2)}), 1u);

  const StoredEvent stored = store_->Get(TestId(1)).value();
  EXPECT_EQ(stored.event.revision(), 2u);
  EXPECT_GT(stored.seq, first_seq);
  EXPECT_EQ(store_->Stats().value().events, 1u);
}

TEST_F(EventStoreTest, IgnoresARevisionThatIsNotHigher) {
  Put({TestOom(1, 2)});
  const uint64_t seq = store_->Get(TestId(1)).value().seq;

  EXPECT_EQ(Put({TestOom(1, 2), TestOom(1, 1)}), 0u);

  EXPECT_EQ(store_->Get(TestId(1)).value().seq, seq);
}

TEST_F(EventStoreTest, StoresTheJournalCursorWithTheEvents) {
  ASSERT_EQ(store_->JournalCursor().value(), 0);

  ASSERT_TRUE(store_->Put(std::vector{TestOom(1)}, 42).has_value());
  ASSERT_TRUE(store_->Put({}, 43).has_value());
  Reopen();

  EXPECT_EQ(store_->JournalCursor().value(), 43);
}

TEST_F(EventStoreTest, StoresNothingOfABatchWithAnEventItCannotTake) {
  v1::Event huge = TestOom(2);
  huge.mutable_oom()->mutable_victims(0)->set_cmdline(std::string(kMaxEventBytes, 'x'));

  const auto put = store_->Put(std::vector{TestOom(1), huge}, 42);

  ASSERT_FALSE(put.has_value());
  EXPECT_EQ(put.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(put.error().message, HasSubstr(TestId(2)));
  EXPECT_EQ(store_->Stats().value().events, 0u);
  EXPECT_EQ(store_->JournalCursor().value(), 0);
}

TEST_F(EventStoreTest, RefusesMalformedIdsAndMissingRevisions) {
  v1::Event bad_id = TestOom(1);
  bad_id.set_event_id("latest\n");

  EXPECT_THAT(CheckStorable(bad_id).error().message, HasSubstr("'latest\\x0a'"));
  EXPECT_EQ(CheckStorable(TestOom(1, 0)).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(CheckStorable(TestOom(1)).has_value());
}

TEST_F(EventStoreTest, FindsAnEventByAnyUniquePrefix) {
  v1::Event other = TestOom(7);
  other.set_event_id("00ab000000000000");
  Put({TestOom(12), other});

  EXPECT_EQ(store_->Get("00ab").value().event.event_id(), other.event_id());
  EXPECT_EQ(store_->Get("000000").value().event.event_id(), TestId(12));
}

TEST_F(EventStoreTest, NamesTheEventsBehindAnAmbiguousPrefix) {
  Put({TestOom(11), TestOom(12)});

  const auto found = store_->Get(TestId(1).substr(0, 14));

  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kAmbiguous);
  EXPECT_THAT(found.error().message, HasSubstr(TestId(11)));
  EXPECT_THAT(found.error().message, HasSubstr(TestId(12)));
}

TEST_F(EventStoreTest, TellsAMissingEventFromAReferenceThatIsNone) {
  EXPECT_EQ(store_->Get(TestId(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->Get("latest").error().code, ErrorCode::kNotFound);
  for (const char* reference : {"", "abc", "deploy/ocr", "ABCD", "00000000000000000", "abcu"}) {
    EXPECT_EQ(store_->Get(reference).error().code, ErrorCode::kInvalid) << reference;
  }
}

TEST_F(EventStoreTest, LatestIsTheNewestKillNotTheLastStored) {
  v1::Event gap = TestOom(9);
  gap.mutable_gap()->set_cause(v1::GapEvent::CAUSE_RING_FULL);
  Put({TestOom(5), TestOom(3), gap});

  EXPECT_EQ(store_->Get("latest").value().event.event_id(), TestId(5));
}

TEST_F(EventStoreTest, ListsTheNewestFirstPageByPage) {
  v1::Event same_time = TestOom(2);
  same_time.set_event_id(TestId(20));
  Put({TestOom(2), TestOom(3), TestOom(1), same_time});

  EXPECT_THAT(Ids(store_->List({.limit = 2})), ElementsAre(TestId(3), TestId(20)));
  const StoredEvent last = store_->List({.limit = 2}).value().back();
  const ListQuery next{.before_time_ns = AttributesOf(last.event).time_ns, .before_seq = last.seq};
  EXPECT_THAT(Ids(store_->List(next)), ElementsAre(TestId(2), TestId(1)));
}

TEST_F(EventStoreTest, ListsWhatTheFilterSelects) {
  v1::Event other = TestOom(2);
  other.mutable_oom()->mutable_victims(0)->set_comm("stress-ng");
  Put({TestOom(1), other});

  EXPECT_THAT(Ids(store_->List({.filter = Filter::Parse("comm = stress*").value()})),
              ElementsAre(TestId(2)));
}

TEST_F(EventStoreTest, ListsTheViewThatIsAskedFor) {
  Put({TestOom(1)});

  const auto basic = store_->List({.view = v1::EVENT_VIEW_BASIC}).value().front().event;
  const auto full = store_->List({.view = v1::EVENT_VIEW_FULL}).value().front().event;

  EXPECT_EQ(basic.view(), v1::EVENT_VIEW_BASIC);
  EXPECT_EQ(basic.oom().cgroups_size(), 1);
  EXPECT_EQ(full.view(), v1::EVENT_VIEW_FULL);
  EXPECT_EQ(full.oom().cgroups_size(), 4);
}

TEST_F(EventStoreTest, AListStopsAtItsBytesButGivesOneEvent) {
  Put({TestOom(1), TestOom(2), TestOom(3)});

  EXPECT_THAT(store_->List({.max_bytes = 1}).value(), SizeIs(1));
}

TEST_F(EventStoreTest, ReadsBySeqTheOldestFirst) {
  Put({TestOom(3), TestOom(1), TestOom(2)});
  Put({TestOom(3, 2)});

  const auto all = store_->ReadAfter(0, 10);
  EXPECT_THAT(Ids(all), ElementsAre(TestId(1), TestId(2), TestId(3)));
  EXPECT_THAT(Ids(store_->ReadAfter(all.value()[0].seq, 1)), ElementsAre(TestId(2)));
}

TEST_F(EventStoreTest, CountsTheKillsOfAWorkload) {
  v1::Event other = TestOom(1);
  other.mutable_oom()->set_workload("other");
  Put({TestOom(5), TestOom(3)});
  Put({other});

  v1::Event elsewhere = TestOom(2);
  elsewhere.mutable_node()->set_node_name("another-node");
  Put({elsewhere});

  const auto history = store_->History(AttributesOf(TestOom(5))).value();

  EXPECT_EQ(history.kills, 2u);
  EXPECT_EQ(history.first_time_ns, AttributesOf(TestOom(3)).time_ns);
  EXPECT_EQ(store_->History({.workload = "unheard of"}).value().kills, 0u);
}

TEST_F(EventStoreTest, CountsTheKillsOfAnOwnerOnEveryNode) {
  v1::Event here = TestOom(5);
  here.mutable_oom()->mutable_container()->set_owner("deployment/ocr");
  v1::Event elsewhere = TestOom(2);
  elsewhere.mutable_oom()->mutable_container()->set_owner("deployment/ocr");
  elsewhere.mutable_node()->set_node_name("another-node");
  Put({here, elsewhere});

  EXPECT_EQ(store_->History(AttributesOf(here)).value().kills, 2u);
}

TEST_F(EventStoreTest, FindsContainersThatAnOlderBuildStored) {
  v1::Event event = TestOom(1);
  v1::Container* container = event.mutable_oom()->mutable_container();
  container->set_namespace_name("shop");
  container->set_pod_name("ocr-1");
  container->set_container_name("worker");
  container->set_owner("deployment/ocr");
  container->set_image_name("ocr:1");
  container->set_qos_class("Burstable");
  Put({event, TestOom(2)});
  store_.reset();
  {  // the file as it was before it had their columns
    SQLite::Database file(dir_.File("events.db"), SQLite::OPEN_READWRITE);
    file.exec(
        "DROP INDEX events_by_pod; DROP INDEX events_by_namespace; DROP INDEX events_by_owner");
    for (const char* column : {"namespace", "pod", "container", "owner", "image", "qos"}) {
      file.exec(std::string("ALTER TABLE events DROP COLUMN ") + column);
    }
    WithoutWhatIsMissing(file);
    file.exec("PRAGMA user_version = 3");
  }

  Reopen();

  for (const char* filter :
       {"namespace = shop", "pod = ocr-1", "container = worker", "owner = \"deployment/ocr\"",
        "image = \"ocr:1\"", "qos = Burstable"}) {
    const auto parsed = Filter::Parse(filter);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_THAT(Ids(store_->List({.filter = *parsed, .limit = 10})), ElementsAre(TestId(1)))
        << filter;
  }
}

TEST_F(EventStoreTest, WhatAnOlderBuildRemovedWasBeforeTheOldestThatIsKept) {
  const int64_t before_ns = WallNowNs();
  Put({TestOom(1)});  // long ago
  const int64_t after_ns = WallNowNs();
  ASSERT_TRUE(store_->Acknowledge("collector", 1, {}));
  store_.reset();
  {
    SQLite::Database file(dir_.File("events.db"), SQLite::OPEN_READWRITE);
    WithoutWhatIsMissing(file);
    file.exec("UPDATE state SET evicted_unacknowledged = 1");  // by one that noted no evicted_seq
  }

  Reopen();

  EXPECT_GE(store_->Stats()->missing_time_ns, before_ns);
  EXPECT_LE(store_->Stats()->missing_time_ns, after_ns);
  EXPECT_EQ(store_->Bounds()->evicted_time_ns, store_->Stats()->missing_time_ns);
}

TEST_F(EventStoreTest, WhatAnOlderBuildNeverRemovedIsNotMissing) {
  Put({TestOom(1)});
  ASSERT_TRUE(store_->Acknowledge("collector", 1, {}));
  store_.reset();
  {
    SQLite::Database file(dir_.File("events.db"), SQLite::OPEN_READWRITE);
    WithoutWhatIsMissing(file);
  }

  Reopen();

  EXPECT_EQ(store_->Stats()->missing_time_ns, 0);
  EXPECT_EQ(store_->Bounds()->evicted_time_ns, 0);
}

TEST_F(EventStoreTest, AcknowledgementMovesForwardOnly) {
  Put({TestOom(1), TestOom(2), TestOom(3)});

  ASSERT_TRUE(store_->Acknowledge("collector-1", 2, {}).has_value());
  ASSERT_TRUE(store_->Acknowledge("collector-1", 1, {}).has_value());
  Reopen();

  EXPECT_EQ(store_->Acknowledged().value(),
            std::make_pair(std::string("collector-1"), uint64_t{2}));
  EXPECT_EQ(store_->Stats().value().unacknowledged, 1u);
}

TEST_F(EventStoreTest, ANewCollectorHasNothingYet) {
  Put({TestOom(1), TestOom(2), TestOom(3)});
  ASSERT_TRUE(store_->Acknowledge("collector-1", 2, {}).has_value());

  // It was sent 3 only, because 1 and 2 were with the old one.
  ASSERT_TRUE(store_->Acknowledge("collector-2", 3, {}).has_value());
  EXPECT_EQ(store_->Acknowledged().value(),
            std::make_pair(std::string("collector-2"), uint64_t{0}));

  ASSERT_TRUE(store_->Acknowledge("collector-2", 3, {}).has_value());
  EXPECT_EQ(store_->Acknowledged().value().second, 3u);
}

TEST_F(EventStoreTest, RefusesAnAcknowledgementOfWhatWasNeverStored) {
  Put({TestOom(1)});

  EXPECT_EQ(store_->Acknowledge("collector-1", 2, {}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(store_->Acknowledged().value().second, 0u);
}

TEST_F(EventStoreTest, KeepsTheLastReportOfEachNode) {
  v1::NodeReport report;
  report.mutable_node()->set_node_name("a");
  ASSERT_TRUE(store_->PutReports(std::vector<EventStore::StoredReport>{{report, 1}}).has_value());
  report.set_agent_version("2");
  ASSERT_TRUE(store_->PutReports(std::vector<EventStore::StoredReport>{{report, 2}}).has_value());
  report.mutable_node()->set_node_name("b");
  ASSERT_TRUE(store_->PutReports(std::vector<EventStore::StoredReport>{{report, 3}}).has_value());

  Reopen();

  const auto reports = store_->Reports().value();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports[0].report.agent_version(), "2");
  EXPECT_EQ(reports[0].received_wall_ns, 2);
}

TEST_F(EventStoreTest, TellsSubscribersOfCommitsThatAddedRows) {
  int calls = 0;
  auto subscription = store_->Subscribe([&] { ++calls; });

  Put({TestOom(1)});
  Put({TestOom(1)});
  EXPECT_EQ(calls, 1);

  subscription.reset();
  Put({TestOom(2)});
  EXPECT_EQ(calls, 1);
}

TEST_F(EventStoreTest, IsReadWhileItIsWritten) {
  std::atomic<bool> written = false;
  std::jthread writer([&] {
    for (uint64_t i = 0; i < 100; i += 2) {
      Put({TestOom(i), TestOom(i + 1)});
    }
    written = true;
  });

  bool last_round = false;
  size_t seen = 0;
  while (!last_round) {
    last_round = written;
    seen = store_->List({.limit = 1000}).value().size();
    ASSERT_EQ(seen % 2, 0u);
  }
  EXPECT_EQ(seen, 100u);
}

}  // namespace
}  // namespace oombox
