#include "agent/common/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "agent/common/latency_histogram.h"

namespace oombox {
namespace {

using testing::ElementsAre;

std::vector<uint64_t> CountsOf(const Histogram& histogram) {
  std::vector<uint64_t> counts;
  for (const Histogram::Bucket& bucket : histogram.Snapshot().buckets) {
    counts.push_back(bucket.count);
  }
  return counts;
}

TEST(HistogramTest, CountsAValueInTheFirstBucketWhoseBoundItDoesNotExceed) {
  const std::vector<uint64_t> bounds = {10, 20};
  Histogram histogram(bounds);
  for (const uint64_t value : {0u, 10u, 11u, 20u, 21u, 1000u}) {
    histogram.Record(value);
  }

  EXPECT_THAT(CountsOf(histogram), ElementsAre(2, 2, 2));
}

TEST(HistogramTest, KnowsCountSumAndMaximum) {
  const std::vector<uint64_t> bounds = {10};
  Histogram histogram(bounds);
  histogram.Record(7);
  histogram.Record(30);
  histogram.Record(2);

  const Histogram::Values values = histogram.Snapshot();

  EXPECT_EQ(values.count, 3u);
  EXPECT_EQ(values.sum, 39u);
  EXPECT_EQ(values.max, 30u);
}

TEST(HistogramTest, GivesTheLastBucketNoBound) {
  const std::vector<uint64_t> bounds = {10, 20};

  const auto buckets = Histogram(bounds).Snapshot().buckets;

  ASSERT_EQ(buckets.size(), 3u);
  EXPECT_EQ(buckets[1].upper, 20u);
  EXPECT_EQ(buckets[2].upper, 0u);
}

TEST(HistogramTest, LosesNothingThatThreadsRecordAtTheSameTime) {
  const std::vector<uint64_t> bounds = {10, 20};
  Histogram histogram(bounds);
  constexpr uint64_t kEach = 20'000;
  {
    std::vector<std::jthread> threads;
    for (uint64_t value : {5u, 15u, 25u}) {
      threads.emplace_back([&histogram, value] {
        for (uint64_t i = 0; i < kEach; ++i) {
          histogram.Record(value);
        }
      });
    }
  }

  EXPECT_THAT(CountsOf(histogram), ElementsAre(kEach, kEach, kEach));
  EXPECT_EQ(histogram.Snapshot().sum, 45 * kEach);
  EXPECT_EQ(histogram.Snapshot().max, 25u);
}

TEST(LatencyHistogramTest, ReachesFromATenthOfAMillisecondToAMinuteInGrowingSteps) {
  const auto buckets = LatencyHistogram().Snapshot().buckets;

  ASSERT_EQ(buckets.size(), kLatencyBoundsNs.size() + 1);
  EXPECT_EQ(buckets.front().upper, 100'000u);
  EXPECT_EQ(buckets[buckets.size() - 2].upper, 60'000'000'000u);
  for (size_t i = 1; i + 1 < buckets.size(); ++i) {
    EXPECT_LT(buckets[i - 1].upper, buckets[i].upper);
    EXPECT_LE(buckets[i].upper, 3 * buckets[i - 1].upper);
  }
}

}  // namespace
}  // namespace oombox
