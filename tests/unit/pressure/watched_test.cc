#include "agent/pressure/watched.h"

#include <gtest/gtest.h>

#include <vector>

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMiB = 1 << 20;

class WatchedTest : public ::testing::Test {
 protected:
  void Add(uint64_t at_ns, uint64_t usage, std::optional<uint64_t> peak = {}, unsigned stretch = 1,
           bool of_nearest = false) {
    MemoryReader::Reading reading{.cgroup_id = 7};
    reading.sample = {.boottime_ns = at_ns,
                      .usage_bytes = usage * kMiB,
                      .limit_bytes = 1000 * kMiB,
                      .working_set_bytes = usage * kMiB,
                      .unreclaimable_bytes = usage * kMiB};
    reading.peak_bytes = peak ? std::optional(*peak * kMiB) : std::nullopt;
    watched_.Add(reading, true, stretch, of_nearest);
    last_ = reading.sample;
  }
  uint64_t IntervalAt(uint64_t usage) {
    Add(1000 * kSecond, usage);
    Add(1010 * kSecond, usage);
    return watched_.due_ns() - 1010 * kSecond;
  }

  Watched watched_{{.id = 7, .path = "/a"}, false, 1};
  MemorySample last_;
};

TEST_F(WatchedTest, FarFromItsLimitItIsReadEveryTenSeconds) {
  EXPECT_EQ(IntervalAt(100), 10 * kSecond);
}
TEST_F(WatchedTest, HalfWayEveryFive) { EXPECT_EQ(IntervalAt(600), 5 * kSecond); }
TEST_F(WatchedTest, NearEverySecond) { EXPECT_EQ(IntervalAt(750), kSecond); }
TEST_F(WatchedTest, AtTheLimitFourTimesASecond) { EXPECT_EQ(IntervalAt(950), kSecond / 4); }

TEST_F(WatchedTest, FullOfPageCacheItIsFar) {
  for (const uint64_t at : {1000 * kSecond, 1010 * kSecond}) {
    MemoryReader::Reading reading{.cgroup_id = 7};
    reading.sample = {.boottime_ns = at,
                      .usage_bytes = 1000 * kMiB,
                      .limit_bytes = 1000 * kMiB,
                      .working_set_bytes = 100 * kMiB};
    watched_.Add(reading, true, 1);
  }
  EXPECT_EQ(watched_.due_ns() - 1010 * kSecond, 10 * kSecond);
  EXPECT_TRUE(watched_.WantsAll(1011 * kSecond)) << "its working set is not known otherwise";
}

TEST_F(WatchedTest, GrowthIsSeenBetweenTwoReadingsOfAll) {
  const auto add = [this](uint64_t at, uint64_t usage, std::optional<uint64_t> working_set) {
    MemoryReader::Reading reading{.cgroup_id = 7};
    reading.sample = {.boottime_ns = at, .usage_bytes = usage * kMiB, .limit_bytes = 1000 * kMiB};
    if (working_set) {
      reading.sample.working_set_bytes = *working_set * kMiB;
    }
    watched_.Add(reading, working_set.has_value(), 1);
  };
  add(1000 * kSecond, 200, 100);
  add(1010 * kSecond, 400, {});  // full in 35 s
  EXPECT_EQ(watched_.due_ns() - 1010 * kSecond, kSecond);
}

TEST_F(WatchedTest, WhatGrowsFastIsNear) {
  Add(1000 * kSecond, 100);
  Add(1010 * kSecond, 400);  // full in 20 s
  EXPECT_EQ(watched_.due_ns() - 1010 * kSecond, kSecond);
  Add(1011 * kSecond, 550);  // full in 3 s
  EXPECT_EQ(watched_.due_ns() - 1011 * kSecond, kSecond / 4);
}

TEST_F(WatchedTest, WhatWasReadOftenIsReadEverLessOften) {
  Add(1000 * kSecond, 900);
  Add(1001 * kSecond, 100);
  EXPECT_EQ(watched_.due_ns() - 1001 * kSecond, 2 * kSecond) << "10 s would be usual";
  Add(1003 * kSecond, 100);
  EXPECT_EQ(watched_.due_ns() - 1003 * kSecond, 4 * kSecond);
  Add(1007 * kSecond, 100);
  Add(1015 * kSecond, 100);
  EXPECT_EQ(watched_.due_ns() - 1015 * kSecond, 10 * kSecond);
}

// A leak grows by steps: readings between two of them show no growth, whenever they come.
TEST_F(WatchedTest, ALeakBySteps) {
  constexpr uint64_t kStepNs = 410'000'000;
  constexpr uint64_t kKillNs = 1000 * kSecond + 64 * kStepNs;
  for (const unsigned stretch : {1, 2, 4, 8, 16}) {
    for (uint64_t phase = 0; phase < kStepNs; phase += 10'000'000) {
      Watched leak({.id = 8, .path = "/leak"}, false, 1000 * kSecond);
      std::vector<PressureState> states;
      for (uint64_t now = 1000 * kSecond + phase; now < kKillNs; now = leak.due_ns()) {
        const uint64_t usage = (1 + (now - 1000 * kSecond) / kStepNs) * kMiB;
        MemoryReader::Reading reading{.cgroup_id = 8};
        reading.sample = {.boottime_ns = now,
                          .usage_bytes = usage,
                          .limit_bytes = 64 * kMiB,
                          .working_set_bytes = usage,
                          .unreclaimable_bytes = usage};
        if (const auto change = leak.Add(reading, true, stretch)) {
          states.push_back(change->state);
        }
      }
      EXPECT_EQ(states, (std::vector{PressureState::kWarning, PressureState::kCritical}))
          << "stretch " << stretch << ", phase " << phase;
    }
  }
}

TEST_F(WatchedTest, WhatIsNewIsReadOftenUntilItsGrowthIsKnown) {
  Watched fresh({.id = 8, .path = "/b"}, false, 1000 * kSecond);
  MemoryReader::Reading reading{.cgroup_id = 8};
  reading.sample = {.boottime_ns = 1000 * kSecond, .usage_bytes = kMiB, .limit_bytes = 1000 * kMiB};
  fresh.Add(reading, true, 1);
  EXPECT_EQ(fresh.due_ns() - 1000 * kSecond, kSecond / 4);
}

TEST_F(WatchedTest, ABrakedWatchDoesNotHurryForWhatIsNew) {
  Watched fresh({.id = 8, .path = "/b"}, false, 1000 * kSecond);
  MemoryReader::Reading reading{.cgroup_id = 8};
  reading.sample = {.boottime_ns = 1008 * kSecond, .usage_bytes = kMiB, .limit_bytes = 1000 * kMiB};
  fresh.Add(reading, true, 4);
  EXPECT_EQ(fresh.due_ns() - 1008 * kSecond, 6 * kSecond);
}

TEST_F(WatchedTest, ABrakedWatchReadsWhatIsFarLessOften) {
  Add(1000 * kSecond, 100, {}, 8);
  Add(1100 * kSecond, 100, {}, 8);
  EXPECT_EQ(watched_.due_ns() - 1100 * kSecond, 30 * kSecond);
}

TEST_F(WatchedTest, ASpikeBetweenTwoReadingsIsInTheNext) {
  Add(1000 * kSecond, 100, 120);
  Add(1010 * kSecond, 110, 900);
  EXPECT_EQ(last_.usage_max_bytes, 900 * kMiB);
  EXPECT_EQ(watched_.Now(1011 * kSecond).usage_max_1m_bytes, 900 * kMiB);
  Add(1020 * kSecond, 110, 900);  // the same peak is no new spike
  EXPECT_FALSE(last_.usage_max_bytes);
  EXPECT_EQ(watched_.Now(1071 * kSecond).usage_max_1m_bytes, 110 * kMiB);
}

TEST_F(WatchedTest, TheFirstReadingsPeakIsOld) {
  Add(1000 * kSecond, 100, 900);
  EXPECT_FALSE(last_.usage_max_bytes);
}

TEST_F(WatchedTest, SharesOfTimeInReclaimAreOfTheLastSeconds) {
  Add(1000 * kSecond, 100);
  watched_.AddReclaim({.count = 1, .stall_ns = 0}, 0, false, 1000 * kSecond);
  watched_.AddReclaim({.count = 9, .stall_ns = 5 * kSecond}, 0, false, 1010 * kSecond);
  const CgroupPressure now = watched_.Now(1010 * kSecond);
  ASSERT_TRUE(now.reclaim);
  EXPECT_NEAR(now.reclaim->avg10, 50, 0.1);
  EXPECT_NEAR(watched_.Now(1025 * kSecond).reclaim->avg10, 0, 0.1);
  EXPECT_LE(watched_.due_ns(), 1010 * kSecond) << "reclaim is a reason to look";
}

TEST_F(WatchedTest, WhatWasReclaimedBeforeItWasWatchedIsOld) {
  watched_.AddReclaim({.count = 9, .stall_ns = 41 * kSecond}, 40 * kSecond, false, 1000 * kSecond);
  EXPECT_NEAR(watched_.Now(1000 * kSecond).reclaim->avg10, 10, 0.1);
}

TEST_F(WatchedTest, ReclaimThatStandsStillIsNoReasonToLook) {
  const ReclaimCounts counts{.count = 9, .stall_ns = kSecond};
  watched_.AddReclaim(counts, 0, false, 1000 * kSecond);
  Add(1001 * kSecond, 100);
  Add(1061 * kSecond, 100);
  watched_.AddReclaim(counts, kSecond, false, 1062 * kSecond);
  EXPECT_EQ(watched_.due_ns(), 1071 * kSecond);
}

TEST_F(WatchedTest, WherePsiTellsOfStallsMeasuredReclaimDoesNot) {
  MemoryReader::Reading reading{.cgroup_id = 7, .has_psi = true};
  reading.sample = {.boottime_ns = 1000 * kSecond,
                    .usage_bytes = 300 * kMiB,
                    .limit_bytes = 1000 * kMiB,
                    .some_avg10 = 2.0,
                    .some_avg60 = 2.0};
  watched_.Add(reading, true, 1);
  EXPECT_FALSE(watched_.WantsAll(1010 * kSecond));
  watched_.AddReclaim({.count = 1, .stall_ns = 60 * kSecond}, 0, false, 1010 * kSecond);
  for (const uint64_t at : {1010 * kSecond, 1011 * kSecond, 1012 * kSecond}) {
    MemoryReader::Reading usage{.cgroup_id = 7};
    usage.sample = {.boottime_ns = at, .usage_bytes = 300 * kMiB, .limit_bytes = 1000 * kMiB};
    EXPECT_FALSE(watched_.Add(usage, false, 1)) << "a limit above it may be the one that is hit";
  }
}

TEST_F(WatchedTest, WhoWaitsIsReadWholeEachTime) {
  MemoryReader::Reading reading{.cgroup_id = 7, .has_psi = true};
  reading.sample = {.boottime_ns = 1000 * kSecond, .usage_bytes = kMiB, .some_avg10 = 50.0};
  watched_.Add(reading, true, 1);
  EXPECT_TRUE(watched_.WantsAll(1001 * kSecond)) << "two readings have to agree";
  reading.sample.boottime_ns = 1200 * kSecond;
  watched_.Add(reading, true, 16);
  EXPECT_EQ(watched_.due_ns(), 1201 * kSecond) << "a braked watch has to confirm it, too";
}

TEST_F(WatchedTest, WhatGrowsFastIsReadWhole) {
  Add(1000 * kSecond, 100);
  Add(1010 * kSecond, 110);
  EXPECT_FALSE(watched_.WantsAll(1011 * kSecond));
  Add(1020 * kSecond, 300);  // full in 37 s
  EXPECT_TRUE(watched_.WantsAll(1021 * kSecond)) << "its trend needs the parts";
}

TEST_F(WatchedTest, ABrakeThatDoesNotSufficeReadsWhatIsNearLessOftenToo) {
  Add(1000 * kSecond, 750, {}, 64);
  Add(1100 * kSecond, 750, {}, 64);
  EXPECT_EQ(watched_.due_ns() - 1100 * kSecond, 16 * kSecond);
  Add(1200 * kSecond, 100, {}, 64);
  EXPECT_EQ(watched_.due_ns() - 1200 * kSecond, 160 * kSecond);
  Add(1400 * kSecond, 750, {}, 16);
  Add(1500 * kSecond, 750, {}, 16);
  EXPECT_EQ(watched_.due_ns() - 1500 * kSecond, kSecond) << "what is far goes first";
}

TEST_F(WatchedTest, ABrakedWatchReadsTheFewAtTheirLimitTwiceASecond) {
  uint64_t now = 1000 * kSecond;
  for (const unsigned stretch : {4, 16, 64}) {
    const uint64_t near_ns = stretch == 64 ? 16 * kSecond : kSecond;
    Add(now += 100 * kSecond, 950, {}, stretch, true);
    EXPECT_EQ(watched_.due_ns() - now, kSecond / 2) << stretch;
    Add(now += 100 * kSecond, 950, {}, stretch, false);
    EXPECT_EQ(watched_.due_ns() - now, near_ns) << "others are nearer, " << stretch;
    Add(now += 100 * kSecond, 750, {}, stretch, true);
    EXPECT_EQ(watched_.due_ns() - now, near_ns) << "it is not that near, " << stretch;
  }
}

TEST_F(WatchedTest, AReclaimCountThatBeganAnewIsNoNegativeTime) {
  watched_.AddReclaim({.stall_ns = 50 * kSecond}, 0, false, 1000 * kSecond);
  watched_.AddReclaim({.stall_ns = kSecond}, 0, false, 1001 * kSecond);
  EXPECT_GE(watched_.Now(1001 * kSecond).reclaim->avg10, 0);
  EXPECT_LE(watched_.Now(1001 * kSecond).reclaim->avg10, 100);
}

class ShortHereTest : public ::testing::Test {
 protected:
  // Half a minute of stalls; the state after it.
  static PressureState After(Watched& watched, uint64_t usage_mib, uint64_t scanned_each_second) {
    for (uint64_t i = 0; i < 30; ++i) {
      MemoryReader::Reading reading{.cgroup_id = 7, .has_psi = true};
      reading.sample = {.boottime_ns = (1000 + i) * kSecond,
                        .usage_bytes = usage_mib * kMiB,
                        .limit_bytes = 1000 * kMiB,
                        .working_set_bytes = 400 * kMiB,
                        .some_avg10 = 60,
                        .full_avg10 = 60,
                        .some_avg60 = 60,
                        .full_avg60 = 60};
      if (watched.cgroup().is_node()) {
        reading.scanned_pages = 5 + i * scanned_each_second;
      }
      watched.Add(reading, true, 1);
    }
    return watched.state();
  }
};

TEST_F(ShortHereTest, AParentFarFromItsLimitDoesNotStall) {
  Watched parent({.id = 7, .path = "/pod"}, false, 1);
  EXPECT_EQ(After(parent, 500, 0), PressureState::kOk);
  Watched full({.id = 7, .path = "/pod/container"}, false, 1);
  EXPECT_EQ(After(full, 990, 0), PressureState::kCritical);
}

TEST_F(ShortHereTest, TheNodeStallsWhereItReclaims) {
  Watched idle({.id = 0, .path = "/"}, false, 1);
  EXPECT_EQ(After(idle, 500, 0), PressureState::kOk);
  Watched busy({.id = 0, .path = "/"}, false, 1);
  EXPECT_EQ(After(busy, 500, 1000), PressureState::kCritical);
}

// It was made long before: read rarely, since it is far from its limit.
TEST_F(WatchedTest, ALeakOfAMinuteInAnOldCgroupIsSeenUnderTheBrake) {
  for (const unsigned stretch : {1, 4, 16}) {
    for (uint64_t phase = 0; phase < 40; phase += 3) {
      Watched old({.id = 8, .path = "/old"}, false, 1);
      std::vector<PressureState> states;
      const uint64_t begin = 2000 * kSecond + phase * kSecond;  // of the leak
      for (uint64_t now = 1000 * kSecond; now < begin + 60 * kSecond; now = old.due_ns()) {
        const uint64_t usage =
            now < begin ? 50 * kMiB : 50 * kMiB + (now - begin) * 950 / 60 / 1000 * kMiB / 1000'000;
        MemoryReader::Reading reading{.cgroup_id = 8};
        reading.sample = {.boottime_ns = now,
                          .usage_bytes = usage,
                          .limit_bytes = 1000 * kMiB,
                          .working_set_bytes = usage,
                          .unreclaimable_bytes = usage};
        if (const auto change = old.Add(reading, true, stretch)) {
          states.push_back(change->state);
        }
      }
      EXPECT_EQ(states, (std::vector{PressureState::kWarning, PressureState::kCritical}))
          << "stretch " << stretch << ", phase " << phase;
    }
  }
}

}  // namespace
}  // namespace oombox
