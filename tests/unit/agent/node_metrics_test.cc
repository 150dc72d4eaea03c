#include "agent/node_metrics.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <set>

#include "agent/common/latency_histogram.h"
#include "agent/latency_report.h"
#include "tests/support/metrics_docs.h"

namespace oombox {
namespace {

using testing::HasSubstr;
using testing::Not;

// Every field has a value of its own, so that a sample that shows the wrong one is seen.
v1::NodeReport FullReport() {
  v1::NodeReport report;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
    agent_version: "0.1.0" agent_start_time { seconds: 1700000000 nanos: 500000000 }
    collector: "collector:5137"
    coverage { state: STATE_COMPLETE complete_since { seconds: 1700000001 }
               unavailable { field: "limit_hit" reason: "no fentry" } }
    accounting { kernel_kills: 1000 captured: 900 dropped_ring_full: 50 dropped_recursion: 7
                 double_counted: 40 gap: 3 events: 800 undecodable: 2 already_dying: 11
                 duplicates: 12 rankings_skipped: 13 decisions_missed: 161
                 signals_skipped: 162 cmdlines_unread: 163 lost_damaged: 164 }
    depths { journal_pending: 21 unacknowledged: 22 store_bytes: 23 ring_bytes: 24
             evicted_unacknowledged: 25 journal_bytes: 26
             refused: 27 }
    cost { resident_bytes: 31 cpu_time { seconds: 32 nanos: 250000000 }
           bpf_run_time { nanos: 33000000 } bpf_longest_run { nanos: 34000 } }
    attachment { attach_time { seconds: 1600000000 } pin_path: "/sys/fs/bpf/oombox/abi1"
                 adopted: true backlog_bytes: 41 }
    stages { name: "capture" state: STATE_STALLED stalled_for { seconds: 51 } }
    stages { name: "event" state: STATE_OK stalled_for { seconds: 99 } }
    uplink { attempts: 61 connects: 62 sent: 63 acknowledged: 64 rejected: 65 }
    kill_to_journal { count: 3 sum_ns: 3000000 max_ns: 2000000
                      buckets { upper_ns: 100000 count: 1 } buckets { upper_ns: 0 count: 2 } }
    kill_to_store { count: 1 sum_ns: 7000000 buckets { upper_ns: 0 count: 1 } }
    containers { cgroup_path: "/kubepods/pod1/c1" usage_bytes: 201 usage_max_1m_bytes: 202
                 limit_bytes: 203 working_set_bytes: 204 unreclaimable_bytes: 205
                 state: STATE_CRITICAL
                 container { container_id: "c1" namespace_name: "shop" pod_name: "ocr-1"
                             container_name: "worker" }
                 pressure { some_total { seconds: 206 } full_total { seconds: 207 }
                            reclaim { count: 1 total { seconds: 208 } } } }
    containers { cgroup_path: "/user.slice" usage_bytes: 211 limit_bytes: 212 state: STATE_OK }
    pressure_watch { cgroups_total: 221 cgroups_watched: 222 curves: 223 curves_refused: 224
                     readings: 225 reading_time { seconds: 226 } stretch: 227 events_lost: 228
                     reclaim { reclaims: 229 lost: 230 run_time { seconds: 231 } } }
  )",
                                                            &report));
  return report;
}

std::vector<prometheus::MetricFamily> Metrics(const v1::NodeReport& report) {
  return NodeMetrics(report, {"namespace", "pod", "container"},
                     {{.labels = {{"namespace", "shop"},
                                  {"pod", "ocr-1"},
                                  {"container", "worker"},
                                  {"scope", "container"}},
                       .kills = 301,
                       .last_wall_ns = 302'000'000'000}});
}

std::string Exposition(const v1::NodeReport& report) {
  return prometheus::TextSerializer().Serialize(Metrics(report));
}

std::set<std::string> Names(const v1::NodeReport& report) {
  std::set<std::string> names;
  for (const auto& family : Metrics(report)) {
    names.insert(family.name);
  }
  return names;
}

TEST(NodeMetricsTest, ShowsEveryNumberOfAFullReport) {
  const std::string text = Exposition(FullReport());

  for (const char* line : {
           "oombox_build_info{component=\"oombox-agent\",version=\"0.1.0\"} 1",
           "oombox_kills_kernel_total 1000",
           "oombox_kills_captured_total 900",
           "oombox_kills_dropped_total{cause=\"ring_full\"} 50",
           "oombox_kills_dropped_total{cause=\"recursion\"} 7",
           "oombox_kills_double_counted_total 40",
           "oombox_kills_gap_total 3",
           "oombox_events_total 800",
           "oombox_kills_lost_total{cause=\"undecodable\"} 2",
           "oombox_kills_lost_total{cause=\"damaged_file\"} 164",
           "oombox_marks_already_dying_total 11",
           "oombox_records_duplicate_total 12",
           "oombox_rankings_skipped_total 13",
           "oombox_decisions_missed_total 161",
           "oombox_signals_skipped_total 162",
           "oombox_cmdlines_unread_total 163",
           "oombox_journal_pending_kills 21",
           "oombox_store_unacknowledged_events 22",
           "oombox_store_bytes 23",
           "oombox_ring_pending_bytes 24",
           "oombox_store_evicted_unacknowledged_total 25",
           "oombox_store_refused_events 27",
           "oombox_journal_bytes 26",
           "process_resident_memory_bytes 31",
           "process_cpu_seconds_total 32.25",
           "process_start_time_seconds 1700000000.5",
           "oombox_bpf_run_seconds_total 0.033",
           "oombox_bpf_longest_run_seconds 3.4e-05",
           "oombox_attach_timestamp_seconds 1600000000",
           "oombox_pinned 1",
           "oombox_adopted 1",
           "oombox_adopted_backlog_bytes 41",
           "oombox_stage_stalled{stage=\"capture\"} 1",
           "oombox_stage_stalled_seconds{stage=\"capture\"} 51",
           "oombox_stage_stalled{stage=\"event\"} 0",
           "oombox_stage_stalled_seconds{stage=\"event\"} 0",
           "oombox_uplink_connected 1",
           "oombox_uplink_attempts_total 61",
           "oombox_uplink_connects_total 62",
           "oombox_uplink_sent_events_total 63",
           "oombox_uplink_acknowledged_events_total 64",
           "oombox_uplink_rejected_events_total 65",
           "oombox_kill_to_journal_seconds_bucket{le=\"0.0001\"} 1",
           "oombox_kill_to_journal_seconds_bucket{le=\"+Inf\"} 3",
           "oombox_kill_to_journal_seconds_sum 0.003",
           "oombox_kill_to_store_seconds_count 1",
           "oombox_coverage{state=\"complete\"} 1",
           "oombox_coverage{state=\"incomplete\"} 0",
           "oombox_coverage{state=\"unknown\"} 0",
           "oombox_coverage_complete_since_timestamp_seconds 1700000001",
           "oombox_feature_unavailable{feature=\"limit_hit\"} 1",
       }) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + line + "\n"));
  }
}

TEST(NodeMetricsTest, ShowsTheTermsOfTheIdentityThatAddUp) {
  std::map<std::string, double> sums;
  for (const auto& family : Metrics(FullReport())) {
    for (const auto& metric : family.metric) {
      sums[family.name] += metric.counter.value;
    }
  }

  EXPECT_EQ(sums["oombox_kills_kernel_total"],
            sums["oombox_kills_captured_total"] + sums["oombox_kills_dropped_total"] +
                sums["oombox_kills_double_counted_total"] + sums["oombox_kills_gap_total"]);
}

TEST(NodeMetricsTest, HasNoSampleOfWhatIsNotKnown) {
  v1::NodeReport report = FullReport();
  report.mutable_accounting()->clear_kernel_kills();
  report.mutable_accounting()->clear_dropped_recursion();
  report.mutable_depths()->clear_unacknowledged();
  report.mutable_cost()->Clear();
  for (const char* field : {"attachment", "uplink", "kill_to_journal", "kill_to_store"}) {
    report.GetReflection()->ClearField(&report, report.GetDescriptor()->FindFieldByName(field));
  }

  const std::string text = Exposition(report);

  for (const char* name : {"oombox_kills_kernel", "recursion\"", "oombox_store_unacknowledged",
                           "process_resident", "process_cpu", "oombox_bpf", "oombox_pinned",
                           "oombox_adopted", "oombox_attach", "oombox_uplink", "oombox_kill_to"}) {
    EXPECT_THAT(text, Not(HasSubstr(std::string("\n") + name)));
  }
  EXPECT_THAT(text, Not(HasSubstr("recursion\"}")));
}

TEST(NodeMetricsTest, HasNoSampleOfFilesThatDidNotAnswer) {
  v1::NodeReport report = FullReport();
  report.mutable_depths()->mutable_age()->set_seconds(3);

  const std::string text = Exposition(report);

  EXPECT_THAT(text, HasSubstr("\noombox_ring_pending_bytes"));
  EXPECT_THAT(text, Not(HasSubstr("\noombox_journal_")));
  EXPECT_THAT(text, Not(HasSubstr("\noombox_store_")));
}

TEST(NodeMetricsTest, CountsNoKillsOfARecording) {
  v1::NodeReport report = FullReport();
  report.set_replayed(true);

  const std::set<std::string> names = Names(report);

  EXPECT_FALSE(names.contains("oombox_kills_captured_total"));
  EXPECT_FALSE(names.contains("oombox_ring_pending_bytes"));
  EXPECT_TRUE(names.contains("oombox_events_total"));
}

TEST(NodeMetricsTest, IsCompleteSinceNoTimeWhileItIsNot) {
  v1::NodeReport report = FullReport();
  report.mutable_coverage()->set_state(v1::Coverage::STATE_INCOMPLETE);

  EXPECT_THAT(Exposition(report), HasSubstr("oombox_coverage{state=\"incomplete\"} 1"));
  EXPECT_FALSE(Names(report).contains("oombox_coverage_complete_since_timestamp_seconds"));
}

TEST(NodeMetricsTest, AreAllInTheDocsAndNoneIsInvented) {
  EXPECT_EQ(DocumentedTable(OOMBOX_OPERATIONS_MD, "### Metrics of oombox-agent"),
            MetricsTable(Metrics(FullReport())));
}

TEST(NodeMetricsTest, TakesACoverageItDoesNotKnowAsUnknown) {
  v1::NodeReport report = FullReport();
  report.mutable_coverage()->set_state(v1::Coverage::STATE_UNSPECIFIED);

  EXPECT_THAT(Exposition(report), HasSubstr("oombox_coverage{state=\"unknown\"} 1"));
}

TEST(NodeMetricsTest, ContainersOfTheSameLabelsAreOneSeriesAndTooManyAreCut) {
  v1::NodeReport report;
  for (int i = 0; i < 3 * kMaxContainerSeries; ++i) {
    v1::ContainerReport* container = report.add_containers();
    container->set_usage_bytes(1);
    container->mutable_container()->set_container_id(std::to_string(i));
    container->mutable_container()->set_namespace_name("shop");
    container->mutable_container()->set_pod_name(std::to_string(i));
  }
  const auto samples = [&](const LabelNames& labels) {
    for (const auto& family : NodeMetrics(report, labels, {})) {
      if (family.name == "oombox_memory_usage_bytes") {
        return family.metric;
      }
    }
    return std::vector<prometheus::ClientMetric>();
  };
  EXPECT_EQ(samples({"namespace", "pod"}).size(), static_cast<size_t>(kMaxContainerSeries));
  ASSERT_EQ(samples({"namespace"}).size(), 1u);
  EXPECT_EQ(samples({"namespace"})[0].gauge.value, kMaxContainerSeries);
}

TEST(NodeMetricsTest, ASumOfContainersHasALimitOnlyWhenAllHaveOneAndNoCounters) {
  v1::NodeReport report;
  for (int i = 0; i < 2; ++i) {
    v1::ContainerReport* container = report.add_containers();
    container->set_limit_bytes(100);
    container->mutable_container()->set_namespace_name("shop");
    container->mutable_container()->set_pod_name(std::to_string(i));
    container->mutable_pressure()->mutable_full_total()->set_seconds(5);
  }
  const auto exposition = [&](const LabelNames& labels) {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, NodeMetrics(report, labels, {}));
    return out.str();
  };
  EXPECT_THAT(exposition({"namespace"}),
              HasSubstr("oombox_memory_limit_bytes{namespace=\"shop\"} 200"));
  report.mutable_containers(1)->clear_limit_bytes();
  EXPECT_THAT(exposition({"namespace"}), Not(HasSubstr("oombox_memory_limit_bytes{")));
  EXPECT_THAT(exposition({"namespace"}), Not(HasSubstr("stalled_seconds")));
  EXPECT_THAT(exposition({"namespace", "pod", "container"}), HasSubstr("stalled_seconds_total{"));
}

TEST(NodeMetricsTest, ContainersWithoutNamesAreSeriesOfTheirOwn) {
  v1::NodeReport report;
  for (const char* path : {"/docker/a", "/docker/b"}) {
    v1::ContainerReport* container = report.add_containers();
    container->set_usage_bytes(1);
    container->set_cgroup_path(path);
    container->mutable_container()->set_container_id(path);
  }
  for (const auto& family : NodeMetrics(report, {"namespace", "pod", "container"}, {})) {
    if (family.name == "oombox_memory_usage_bytes") {
      EXPECT_EQ(family.metric.size(), 2U);
    }
  }
}

TEST(KillTallyTest, CountsAKillWhenItsNamesHaveCome) {
  KillTally tally({"pod"});
  v1::Event kill;
  kill.set_event_id("id");
  kill.mutable_oom()->mutable_container()->set_container_id("abc");
  tally.Stored(kill);  // of an earlier run: that one counted it
  tally.Begin(kill);
  tally.Stored(kill);
  EXPECT_TRUE(tally.Get().empty());
  kill.mutable_oom()->mutable_container()->set_pod_name("ocr");
  tally.Stored(kill);
  kill.set_final(true);
  tally.Stored(kill);
  ASSERT_EQ(tally.Get().size(), 1U);
  EXPECT_EQ(tally.Get()[0].kills, 1U);
  EXPECT_EQ(tally.Get()[0].labels[0].second, "ocr");
}

TEST(KillTallyTest, CountsAKillWhoseNamesDoNotComeAndOneThatIsNoContainers) {
  KillTally tally({"pod"});
  v1::Event kill;
  kill.set_event_id("id");
  kill.mutable_oom()->mutable_container()->set_container_id("abc");
  kill.set_final(true);
  tally.Begin(kill);
  tally.Stored(kill);
  kill.Clear();
  kill.set_event_id("other");
  tally.Begin(kill);
  tally.Stored(kill);
  ASSERT_EQ(tally.Get().size(), 1U);
  EXPECT_EQ(tally.Get()[0].kills, 2U);
}

TEST(KillTallyTest, CountsByLabelsAndKeepsTheLatest) {
  KillTally tally({"namespace"});
  v1::Event kill;
  const auto add = [&] {
    tally.Begin(kill);
    tally.Stored(kill);
  };
  kill.mutable_oom()->set_scope(v1::OOM_SCOPE_CONTAINER);
  kill.mutable_oom()->mutable_container()->set_namespace_name("shop");
  kill.mutable_event_time()->set_seconds(5);
  add();
  kill.mutable_event_time()->set_seconds(9);
  add();
  ASSERT_EQ(tally.Get().size(), 1u);
  EXPECT_EQ(tally.Get()[0].kills, 2u);
  EXPECT_EQ(tally.Get()[0].last_wall_ns, 9'000'000'000);
  EXPECT_EQ(tally.Get()[0].labels, (LabelValues{{"namespace", "shop"}, {"scope", "container"}}));
  for (int i = 0; i < 2000; ++i) {
    kill.mutable_oom()->mutable_container()->set_namespace_name(std::to_string(i));
    kill.mutable_event_time()->set_seconds(10 + i);
    add();
  }
  EXPECT_EQ(tally.Get().size(), KillTally::kMaxSeries);
}

TEST(LatencyReportTest, KeepsAHistogramOnItsWayOverTheWire) {
  LatencyHistogram latencies;
  for (const uint64_t ns : {50'000u, 3'000'000u, 3'000'000u}) {
    latencies.Record(ns);
  }
  const Histogram::Values before = latencies.Snapshot();

  const v1::LatencyReport report = ToLatencyReport(before);
  const Histogram::Values after = FromLatencyReport(report);

  EXPECT_EQ(report.count(), 3u);
  EXPECT_EQ(report.sum_ns(), 6'050'000u);
  EXPECT_EQ(report.max_ns(), 3'000'000u);
  EXPECT_EQ(report.buckets(report.buckets_size() - 1).upper_ns(), 0u);
  ASSERT_EQ(after.buckets.size(), before.buckets.size());
  for (size_t i = 0; i < after.buckets.size(); ++i) {
    EXPECT_EQ(after.buckets[i].upper, before.buckets[i].upper);
    EXPECT_EQ(after.buckets[i].count, before.buckets[i].count);
  }
}

}  // namespace
}  // namespace oombox
