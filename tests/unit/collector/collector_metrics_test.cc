#include "tools/collector/collector_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include "tests/support/metrics_docs.h"
#include "tests/unit/collector/fixture.h"

namespace oombox {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Exposition(const CollectorNumbers& numbers) {
  return prometheus::TextSerializer().Serialize(CollectorMetrics(numbers));
}

v1::NodeStatus Node(v1::Coverage::State state, uint64_t kernel, uint64_t captured) {
  v1::NodeStatus node;
  node.mutable_coverage()->set_state(state);
  v1::KillAccounting& accounting = *node.mutable_report()->mutable_accounting();
  accounting.set_kernel_kills(kernel);
  accounting.set_captured(captured);
  return node;
}

class IngestCountsTest : public IngestFixture {
 protected:
  IngestCounts::Values Counts() const { return hub_->counts().Read(); }
};

TEST_F(IngestCountsTest, CountsWhatIsStoredAndWhatWasThereAlready) {
  const auto agent = Connect("n1");
  agent->Give(Event("n1", 1, 1));
  ASSERT_EQ(agent->AwaitAck(1), 1u);
  agent->Give(Event("n1", 2, 1));
  ASSERT_EQ(agent->AwaitAck(2), 2u);

  const IngestCounts::Values counts = Counts();

  EXPECT_EQ(counts.received, 2u);
  EXPECT_EQ(counts.stored, 1u);
  EXPECT_EQ(counts.repeated, 1u);
  EXPECT_EQ(counts.rejected, 0u);
  EXPECT_EQ(counts.commit_ns.count, 2u);
  EXPECT_EQ(counts.commit_events.sum, 2u);
}

TEST_F(IngestCountsTest, CountsWhatIsRefusedForGood) {
  const auto agent = Connect("n1");
  v1::IngestRequest bad = Event("n1", 1, 1);
  bad.mutable_event()->mutable_event()->set_event_id("bad");
  agent->Give(std::move(bad));
  ASSERT_EQ(agent->AwaitAck(1), 1u);
  store_.Refuse(SampleId(2));
  agent->Give(Event("n1", 2, 2));
  ASSERT_EQ(agent->AwaitAck(2), 2u);

  const IngestCounts::Values counts = Counts();

  EXPECT_EQ(counts.received, 2u);
  EXPECT_EQ(counts.rejected, 2u);
  EXPECT_EQ(counts.commit_ns.count, 0u);
  EXPECT_EQ(counts.stored + counts.repeated + counts.returned, 0u);
}

TEST_F(IngestCountsTest, CountsEventsThatGoBackBecauseTheStoreFails) {
  const auto agent = Connect("n1");
  store_.FailWith(Error{ErrorCode::kExhausted, "the disk is full", 0});
  agent->Give(Event("n1", 1, 1));
  ASSERT_FALSE(agent->AwaitFinish());

  const IngestCounts::Values counts = Counts();

  EXPECT_EQ(counts.received, 1u);
  EXPECT_EQ(counts.returned, 1u);
  EXPECT_EQ(counts.failed_commits, 1u);
  EXPECT_EQ(counts.stored, 0u);
}

TEST_F(IngestCountsTest, CountsOneCommitOfManyAgentsAsOneBatch) {
  const auto one = Connect("n1");
  const auto two = Connect("n2");
  store_.HoldPuts();
  one->Give(Event("n1", 1, 1));
  store_.AwaitHeldPut();
  one->Give(Event("n1", 2, 2));
  two->Give(Event("n2", 3, 3));
  store_.LetPutsPass();
  ASSERT_EQ(one->AwaitAck(2), 2u);
  ASSERT_EQ(two->AwaitAck(3), 3u);

  const Histogram::Values batches = Counts().commit_events;

  EXPECT_EQ(batches.count, 2u);
  EXPECT_EQ(batches.sum, 3u);
  EXPECT_EQ(batches.max, 2u);
}

TEST_F(IngestCountsTest, CountsReportsButNoCommitForThem) {
  const auto agent = Connect("n1");
  agent->Give(Report("n1"));
  agent->AwaitReading();
  agent->Give(Event("n1", 1, 1));  // the writer has the report before it, or with it
  ASSERT_EQ(agent->AwaitAck(1), 1u);
  hub_->Stop();

  EXPECT_EQ(Counts().reports, 1u);
  EXPECT_EQ(Counts().commit_events.count, 1u);
}

TEST(CollectorMetricsTest, SumsTheIdentityOverNodesThatAreHeardOf) {
  auto counted = Node(v1::Coverage::STATE_COMPLETE, 10, 9);
  counted.mutable_report()->mutable_accounting()->set_double_counted(1);
  auto lossy = Node(v1::Coverage::STATE_INCOMPLETE, 20, 12);
  lossy.mutable_report()->mutable_accounting()->set_dropped_ring_full(4);
  lossy.mutable_report()->mutable_accounting()->set_dropped_recursion(1);
  lossy.mutable_report()->mutable_accounting()->set_gap(3);
  lossy.mutable_report()->mutable_attachment();  // it tells its gap
  const std::vector<v1::NodeStatus> nodes = {counted, lossy,
                                             Node(v1::Coverage::STATE_UNKNOWN, 99, 99)};

  const std::string text = Exposition({.nodes = &nodes});

  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_kernel 30\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_captured 21\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_dropped{cause=\"ring_full\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_dropped{cause=\"recursion\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_double_counted 1\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_gap 3\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_counted_nodes 2\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_nodes{state=\"complete\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_nodes{state=\"incomplete\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_nodes{state=\"unknown\"} 1\n"));
}

TEST(CollectorMetricsTest, CountsContainersByTheStateOfTheirMemory) {
  auto near = Node(v1::Coverage::STATE_COMPLETE, 0, 0);
  near.mutable_report()->add_containers()->set_state(v1::PressureEvent::STATE_CRITICAL);
  near.mutable_report()->add_containers()->set_state(v1::PressureEvent::STATE_OK);
  auto far = Node(v1::Coverage::STATE_COMPLETE, 0, 0);
  far.mutable_report()->add_containers()->set_state(v1::PressureEvent::STATE_OK);
  far.mutable_report()->add_containers()->set_state(static_cast<v1::PressureEvent::State>(99));
  auto silent = Node(v1::Coverage::STATE_UNKNOWN, 0, 0);
  silent.mutable_report()->add_containers()->set_state(v1::PressureEvent::STATE_WARNING);
  const std::vector<v1::NodeStatus> nodes = {near, far, silent};

  const std::string text = Exposition({.nodes = &nodes});

  EXPECT_THAT(text, HasSubstr("\noombox_fleet_containers{state=\"ok\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_containers{state=\"warning\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_containers{state=\"critical\"} 1\n"));
}

TEST(CollectorMetricsTest, ComputesTheGapOfAnAgentThatDoesNotTellIt) {
  const std::vector<v1::NodeStatus> nodes = {Node(v1::Coverage::STATE_COMPLETE, 10, 8),
                                             Node(v1::Coverage::STATE_COMPLETE, 10, 11)};

  EXPECT_THAT(Exposition({.nodes = &nodes}), HasSubstr("\noombox_fleet_kills_gap 2\n"));
}

TEST(CollectorMetricsTest, LeavesNodesOutOfTheSumsWhoseKernelDoesNotCount) {
  auto node = Node(v1::Coverage::STATE_INCOMPLETE, 0, 5);
  node.mutable_report()->mutable_accounting()->clear_kernel_kills();
  const std::vector<v1::NodeStatus> nodes = {node};

  const std::string text = Exposition({.nodes = &nodes});

  EXPECT_THAT(text, HasSubstr("\noombox_fleet_counted_nodes 0\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_fleet_kills_captured 0\n"));
}

TEST(CollectorMetricsTest, HasAsManySeriesForManyNodesAsForOne) {
  const std::vector<v1::NodeStatus> one(1, Node(v1::Coverage::STATE_COMPLETE, 1, 1));
  const std::vector<v1::NodeStatus> many(2000, Node(v1::Coverage::STATE_COMPLETE, 1, 1));
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };

  EXPECT_EQ(lines(Exposition({.nodes = &one})), lines(Exposition({.nodes = &many})));
}

TEST(CollectorMetricsTest, HasNoSampleOfWhatCouldNotBeRead) {
  const std::string text = Exposition({});

  EXPECT_THAT(text, Not(HasSubstr("oombox_collector_store_")));
  EXPECT_THAT(text, Not(HasSubstr("oombox_fleet")));
}

TEST(CollectorMetricsTest, CountsANodeWithAStalledStage) {
  auto node = Node(v1::Coverage::STATE_INCOMPLETE, 1, 1);
  for (const auto state : {v1::StageHealth::STATE_STALLED, v1::StageHealth::STATE_STALLED}) {
    node.mutable_report()->add_stages()->set_state(state);
  }
  const std::vector<v1::NodeStatus> nodes = {node, Node(v1::Coverage::STATE_COMPLETE, 1, 1)};

  EXPECT_THAT(Exposition({.nodes = &nodes}), HasSubstr("\noombox_fleet_stalled_nodes 1\n"));
}

TEST(CollectorMetricsTest, TellOfADamagedStoreAndOfEventsThatCannotBeRead) {
  StoreStats stats;
  stats.unreadable = 3;

  const std::string text = Exposition({.store = &stats, .store_moved_aside = true});

  EXPECT_THAT(text, HasSubstr("\noombox_collector_unreadable_events_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\noombox_collector_store_moved_aside 1\n"));
  EXPECT_THAT(Exposition({.store = &stats}), HasSubstr("\noombox_collector_store_moved_aside 0\n"));
}

TEST(CollectorMetricsTest, AreAllInTheDocsAndNoneIsInvented) {
  const StoreStats stats;
  const std::vector<v1::NodeStatus> nodes;
  const CollectorNumbers numbers{
      .store = &stats, .nodes = &nodes, .calls = {{"EventService/ListEvents", "OK", 1}}};

  EXPECT_EQ(DocumentedTable(OOMBOX_OPERATIONS_MD, "### Metrics of oombox-collector"),
            MetricsTable(CollectorMetrics(numbers)));
}

}  // namespace
}  // namespace oombox
