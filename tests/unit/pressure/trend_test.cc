#include "agent/pressure/trend.h"

#include <gtest/gtest.h>

#include <cmath>

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMiB = 1 << 20;

std::vector<MemorySample> Points(size_t count, uint64_t every_ns, double begin, double per_second,
                                 double noise = 0) {
  std::vector<MemorySample> points;
  for (size_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i * every_ns) / 1e9;
    const double value = begin + per_second * t + noise * std::sin(static_cast<double>(i) * 2.4);
    points.push_back({.boottime_ns = 100 * kSecond + i * every_ns,
                      .usage_bytes = 2048 * kMiB,
                      .limit_bytes = 1000 * kMiB,
                      .working_set_bytes = static_cast<uint64_t>(value * kMiB)});
  }
  return points;
}

TEST(TrendTest, AStraightLeakIsToldWithHighConfidence) {
  const auto trend = TrendOf(Points(60, kSecond, 100, 5));
  ASSERT_TRUE(trend);
  EXPECT_NEAR(trend->growth_bytes_per_second, 5.0 * kMiB, 1e3);
  EXPECT_EQ(trend->confidence, TrendConfidence::kHigh);
  ASSERT_TRUE(trend->seconds_to_limit);
  EXPECT_NEAR(*trend->seconds_to_limit, (1000 - 100 - 59 * 5) / 5.0, 0.5);
}

TEST(TrendTest, ASlowLeakInNoiseIsSeenInALongerWindow) {
  // 4 MiB a minute, 8 MiB of noise: the last minute says nothing, the hour does.
  const auto trend = TrendOf(Points(360, 10 * kSecond, 100, 4.0 / 60, 8));
  ASSERT_TRUE(trend);
  EXPECT_GT(trend->window_ns, 300 * kSecond);
  EXPECT_NE(trend->confidence, TrendConfidence::kLow);
  EXPECT_NEAR(trend->growth_bytes_per_second, 4.0 / 60 * kMiB, 0.3 / 60 * kMiB);
}

TEST(TrendTest, UpAndDownHasLowConfidence) {
  const auto trend = TrendOf(Points(60, kSecond, 500, 0.01, 50));
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->confidence, TrendConfidence::kLow);
}

TEST(TrendTest, PageCacheInUseFillsALimitThatNothingReaches) {
  auto points = Points(60, kSecond, 100, 14);
  for (MemorySample& point : points) {
    point.anon_bytes = 40 * kMiB;
    point.kernel_bytes = kMiB;
    point.slab_reclaimable_bytes = 0;
  }
  auto trend = TrendOf(points);
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->growth_bytes_per_second, 0);
  EXPECT_FALSE(trend->seconds_to_limit);

  for (size_t i = 0; i < points.size(); ++i) {
    points[i].shmem_bytes = 2 * i * kMiB;
  }
  trend = TrendOf(points);
  ASSERT_TRUE(trend);
  EXPECT_NEAR(trend->growth_bytes_per_second, 2.0 * kMiB, 1);
  ASSERT_TRUE(trend->seconds_to_limit);
  EXPECT_NEAR(*trend->seconds_to_limit, (1000 - 41 - 2 * 59) / 2.0, 0.1);
}

TEST(TrendTest, SlabThatComesWithPageCacheFillsNoLimit) {
  auto points = Points(60, kSecond, 100, 14);
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].anon_bytes = 40 * kMiB;
    points[i].kernel_bytes = (10 + i) * kMiB;
    points[i].slab_reclaimable_bytes = (4 + i) * kMiB;
  }
  EXPECT_EQ(TrendOf(points)->growth_bytes_per_second, 0);
  for (MemorySample& point : points) {
    point.slab_reclaimable_bytes = 4 * kMiB;
  }
  EXPECT_NEAR(TrendOf(points)->growth_bytes_per_second, 1.0 * kMiB, 1) << "page tables, stacks";
  for (MemorySample& point : points) {
    point.slab_reclaimable_bytes = std::nullopt;
  }
  EXPECT_EQ(TrendOf(points)->growth_bytes_per_second, 0) << "v1 does not tell";
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].shmem_bytes = 2 * i * kMiB;
  }
  const auto trend = TrendOf(points);
  EXPECT_NEAR(trend->growth_bytes_per_second, 2.0 * kMiB, 1);
  EXPECT_NEAR(*trend->seconds_to_limit, (1000 - 40 - 2 * 59 - 69) / 2.0, 0.1) << "it is held";
}

TEST(TrendTest, ReadingsWithoutThePartsAreLeftOut) {
  auto points = Points(60, kSecond, 900, 0);
  for (size_t i = 0; i < points.size(); i += 2) {
    points[i + 1].anon_bytes = 10 * kMiB;
  }
  const auto trend = TrendOf(points);
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->growth_bytes_per_second, 0);
}

TEST(TrendTest, WhatShrinksReachesNoLimit) {
  const auto trend = TrendOf(Points(60, kSecond, 900, -2));
  ASSERT_TRUE(trend);
  EXPECT_LT(trend->growth_bytes_per_second, 0);
  EXPECT_FALSE(trend->seconds_to_limit);
}

TEST(TrendTest, WhatIsConstantReachesNoLimit) {
  const auto trend = TrendOf(Points(60, kSecond, 900, 0));
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->growth_bytes_per_second, 0);
  EXPECT_FALSE(trend->seconds_to_limit);
}

TEST(TrendTest, WhatACpuHasInStockIsNoGrowth) {
  const auto trend = TrendOf(Points(60, kSecond, 100, 0.2 / 59));
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->growth_bytes_per_second, 0);
  EXPECT_FALSE(trend->seconds_to_limit);
  EXPECT_GT(TrendOf(Points(60, kSecond, 100, 0.3 / 59))->growth_bytes_per_second, 0);
}

TEST(TrendTest, FewReadingsAreNoTrend) {
  EXPECT_FALSE(TrendOf({}));
  EXPECT_FALSE(TrendOf(Points(3, kSecond, 1, 1)));
  EXPECT_FALSE(TrendOf(Points(10, kSecond / 10, 1, 1)));  // within a second
}

// 20 MiB every two minutes; the last one was 90 s ago.
TEST(TrendTest, AFlatMinuteHidesNoLeakBySteps) {
  std::vector<MemorySample> points;
  for (uint64_t second = 0; second <= 570; second += 5) {
    points.push_back({.boottime_ns = (1000 + second) * kSecond,
                      .limit_bytes = 1000 * kMiB,
                      .working_set_bytes = (500 + second / 120 * 20) * kMiB});
  }

  const auto trend = TrendOf(points);

  ASSERT_TRUE(trend);
  EXPECT_GT(trend->growth_bytes_per_second, 0);
  EXPECT_TRUE(trend->seconds_to_limit);
}

// What a program takes at its start, at the second or the fourth reading.
TEST(TrendTest, OneStepIsNoGrowth) {
  for (const size_t step : {1, 3}) {
    auto points = Points(20, kSecond / 4, 0.1, 0);
    for (size_t i = step; i < points.size(); ++i) {
      *points[i].working_set_bytes += 2 * kMiB + i % 2 * 4096;
    }
    const auto trend = TrendOf(points);
    ASSERT_TRUE(trend);
    EXPECT_EQ(trend->growth_bytes_per_second, 0) << step;
    EXPECT_FALSE(trend->seconds_to_limit) << step;

    *points.back().working_set_bytes += 2 * kMiB;
    EXPECT_GT(TrendOf(points)->growth_bytes_per_second, 0) << "a second one is";
  }
}

// 300 KiB a minute; two readings somewhere are two pages further apart than the others.
TEST(TrendTest, SlowGrowthIsNoStep) {
  for (size_t phase = 1; phase < 60; ++phase) {
    auto points = Points(60, kSecond, 100, 0.3 / 59);
    for (size_t i = 0; i < points.size(); ++i) {
      *points[i].working_set_bytes += i < phase ? 0 : 8192;
    }
    const auto trend = TrendOf(points);
    ASSERT_TRUE(trend);
    EXPECT_GT(trend->growth_bytes_per_second, 0) << phase;
    EXPECT_TRUE(trend->seconds_to_limit) << phase;
  }
}

TEST(TrendTest, TheNodesGrowthIsOfWhatIsNotAvailable) {
  std::vector<MemorySample> points;
  for (uint64_t second = 0; second <= 60; ++second) {  // dentries
    points.push_back({.boottime_ns = (1000 + second) * kSecond,
                      .limit_bytes = 1000 * kMiB,
                      .working_set_bytes = 500 * kMiB,
                      .anon_bytes = 100 * kMiB,
                      .kernel_bytes = (100 + second) * kMiB});
  }

  EXPECT_EQ(TrendOf(points, true)->growth_bytes_per_second, 0);
}

}  // namespace
}  // namespace oombox
