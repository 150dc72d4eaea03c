#include "agent/pressure/turns.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kMiB = 1 << 20;

class TurnsTest : public ::testing::Test {
 protected:
  Watched& AddNew(const std::string& path, uint64_t at_ns) {
    return watched_.try_emplace(path, WatchedCgroup{++id_, path}, false, at_ns).first->second;
  }
  Watched& Add(const std::string& path, uint64_t at_ns, uint64_t usage) {
    Watched& watched = AddNew(path, 1);
    Read(watched, at_ns, usage);
    return watched;
  }
  static void Read(Watched& watched, uint64_t at_ns, uint64_t usage) {
    MemoryReader::Reading reading{.cgroup_id = watched.cgroup().id};
    reading.sample = {
        .boottime_ns = at_ns, .usage_bytes = usage * kMiB, .limit_bytes = 1000 * kMiB};
    watched.Add(reading, true, 1);
  }
  // Each takes that long, and is far afterwards.
  std::vector<std::string> Pass(uint64_t now_ns, uint64_t each_ns) {
    std::vector<std::string> read;
    Turns turns(watched_, now_ns);
    while (Watched* next = turns.Next(now_ns)) {
      read.push_back(next->cgroup().path);
      now_ns += each_ns;
      next->Postpone(now_ns);
    }
    return read;
  }

  std::map<std::string, Watched> watched_;
  uint64_t id_ = 0;
};

using Paths = std::vector<std::string>;

TEST_F(TurnsTest, OnlyWhatIsDueIsRead) {
  Add("/now", 1000 * kSecond, 100);
  Add("/later", 1001 * kSecond, 100);
  EXPECT_EQ(Pass(1010 * kSecond, 0), Paths{"/now"});
}

TEST_F(TurnsTest, WhatIsNearIsFirstThenWhatWaitsTheLongest) {
  Add("/a", 1002 * kSecond, 100);
  Add("/b", 1001 * kSecond, 100);
  Read(Add("/grows", 1002 * kSecond, 100), 1012 * kSecond, 600);
  Add("/near", 1011 * kSecond, 800);
  EXPECT_EQ(Pass(1020 * kSecond, 0), (Paths{"/near", "/grows", "/b", "/a"}));
}

TEST_F(TurnsTest, OfManyThatAreNearTheNearestAreKnownDueOrNot) {
  Read(Add("/grows", 990 * kSecond, 100), 1000 * kSecond, 600);
  for (uint64_t i = 0; i < 20; ++i) {
    Add(fmt::format("/{:02}", i), (i % 2 == 0 ? 1000 : 900) * kSecond, 960 - i);
  }
  Add("/far", 1000 * kSecond, 100);
  const Turns turns(watched_, 1000 * kSecond);
  Paths nearest;
  for (const auto& [path, one] : watched_) {
    if (turns.IsOfTheNearest(one)) {
      nearest.push_back(path);
    }
  }
  EXPECT_EQ(nearest, (Paths{"/00", "/01", "/02", "/03", "/04", "/05", "/06", "/grows"}));
}

TEST_F(TurnsTest, WhereFewAreNearWhoComesThereIsOfTheNearestAtOnce) {
  Add("/far", 1000 * kSecond, 100);
  for (uint64_t i = 1; i < Watched::kFewNear; ++i) {
    Add(fmt::format("/near{}", i), 1000 * kSecond, 750);
  }
  EXPECT_TRUE(Turns(watched_, 1000 * kSecond).IsOfTheNearest(watched_.at("/far")));
  Add("/near", 1000 * kSecond, 750);
  EXPECT_FALSE(Turns(watched_, 1000 * kSecond).IsOfTheNearest(watched_.at("/far")));
}

TEST_F(TurnsTest, ABacklogOfWhatIsFarHoldsUpNobodyWhoIsNear) {
  for (int i = 0; i < 1000; ++i) {
    Add(fmt::format("/{:04}", i), 1000 * kSecond, 100);
  }
  Watched& near = Add("/near", 1000 * kSecond, 950);
  size_t read = 0;
  uint64_t now = 1020 * kSecond;
  for (int pass = 0; pass < 10; ++pass) {
    const auto paths = Pass(now, 2 * kMs);
    ASSERT_EQ(paths.front(), "/near");
    EXPECT_LE(paths.size(), 53U) << "it comes near a limit again meanwhile";
    EXPECT_GT(paths.size(), 40U);
    read += paths.size() - 1;
    now += paths.size() * 2 * kMs;
    near.HurryTo(now);
  }
  EXPECT_GT(read, 400U) << "they have their turn, too";
}

TEST_F(TurnsTest, WhatBeginsToReclaimIsReadBeforeABacklogOfWhatIsFar) {
  for (int i = 0; i < 1000; ++i) {
    Add(fmt::format("/{:04}", i), 1000 * kSecond, 100);
    AddNew(fmt::format("/new{:04}", i), 1019 * kSecond);
  }
  Add("/near", 1000 * kSecond, 950);
  const uint64_t now = 1020 * kSecond;
  Add("/reclaims", 1019 * kSecond, 100)
      .AddReclaim({.count = 1, .stall_ns = kMs, .last_boottime_ns = now}, 0, true, now);
  const auto paths = Pass(now, 2 * kMs);
  ASSERT_GE(paths.size(), 3U);
  EXPECT_EQ(Paths(paths.begin(), paths.begin() + 2), (Paths{"/near", "/reclaims"}));
}

TEST_F(TurnsTest, WhatIsNewIsBeforeWhatIsFarAndHoldsUpNobodyWhoIsNear) {
  Add("/far", 1000 * kSecond, 100);
  Watched& near = Add("/near", 1000 * kSecond, 950);
  for (int i = 0; i < 5000; ++i) {
    AddNew(fmt::format("/new{:04}", i), 1020 * kSecond);
  }
  uint64_t now = 1020 * kSecond;
  for (int pass = 0; pass < 10; ++pass) {
    const auto paths = Pass(now, 2 * kMs);
    ASSERT_EQ(paths.front(), "/near");
    EXPECT_LE(paths.size(), 53U);
    EXPECT_EQ(std::count(paths.begin(), paths.end(), "/far"), 0) << "its growth is not known yet";
    now += paths.size() * 2 * kMs;
    near.HurryTo(now);
  }
}

TEST_F(TurnsTest, HoweverLongAReadingTakesTheNextIsAnother) {
  Add("/a", 1000 * kSecond, 100);
  Add("/b", 1000 * kSecond, 100);
  EXPECT_EQ(Pass(1020 * kSecond, 60 * kSecond), Paths{"/a"});
  EXPECT_EQ(Pass(1020 * kSecond, 60 * kSecond), Paths{"/b"});
}

}  // namespace
}  // namespace oombox
