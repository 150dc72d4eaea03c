#include "agent/pressure/curve_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kStart = 5000 * kSecond;

class CurveFileTest : public ::testing::Test {
 protected:
  void SetUp() override { Open(kStart); }
  void Open(uint64_t now, const std::string& boot = "boot-1", size_t slots = 3) {
    file_.reset();
    auto opened = CurveFile::Open(
        {.path = dir_.File("curves"), .max_bytes = 4096 + slots * 16384, .boot_id = boot}, now);
    ASSERT_TRUE(opened) << opened.error().message;
    file_ = std::move(*opened);
  }
  bool Add(uint64_t id, uint64_t at, uint64_t pages, double share = 0.1) {
    return file_->Add({id, "/c" + std::to_string(id)},
                      {.boottime_ns = at, .usage_bytes = pages * 4096, .limit_bytes = 1 << 30},
                      share);
  }
  std::vector<MemorySample> Points(uint64_t id, uint64_t before) {
    const auto history = file_->Before(id, before);
    return history ? history->points : std::vector<MemorySample>();
  }

  TempDir dir_;
  std::unique_ptr<CurveFile> file_;
};

TEST_F(CurveFileTest, KeepsTheLastTwoMinutesFineAndTheHourCoarse) {
  const uint64_t end = kStart + 4000 * kSecond;
  for (uint64_t at = kStart; at < end; at += kSecond) {
    Add(1, at, (at - kStart) / kSecond);
  }
  const auto points = Points(1, end);
  ASSERT_GT(points.size(), 200U);
  uint64_t fine = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    const uint64_t apart = points[i].boottime_ns - points[i - 1].boottime_ns;
    ASSERT_GT(apart, 0U);
    ASSERT_LE(apart, 37 * kSecond);
    fine += points[i].boottime_ns + 120 * kSecond >= end && apart <= 2 * kSecond ? 1 : 0;
  }
  EXPECT_GE(fine, 100U);
  EXPECT_LE(points.front().boottime_ns, end - 3500 * kSecond);
  EXPECT_EQ(points.back().usage_bytes, 3999U * 4096);
}

TEST_F(CurveFileTest, QuarterSecondsOfTheLastMomentsStay) {
  for (uint64_t at = kStart; at < kStart + 300 * kSecond; at += kSecond / 4) {
    Add(1, at, 1);
  }
  const auto points = Points(1, kStart + 300 * kSecond);
  const uint64_t from = kStart + 300 * kSecond - 120 * kSecond;
  const auto recent = std::count_if(points.begin(), points.end(), [&](const MemorySample& point) {
    return point.boottime_ns >= from;
  });
  EXPECT_GE(recent, 100 + 60);
}

TEST_F(CurveFileTest, ASpikeBetweenCoarsePointsIsTheirMaximum) {
  for (uint64_t s = 0; s < 600; ++s) {
    Add(1, kStart + s * kSecond, s == 40 ? 900 : 100);
  }
  const auto points = Points(1, kStart + 600 * kSecond);
  EXPECT_TRUE(std::any_of(points.begin(), points.end(), [](const MemorySample& point) {
    return std::max(point.usage_bytes.value_or(0), point.usage_max_bytes.value_or(0)) == 900 * 4096;
  }));
}

TEST_F(CurveFileTest, ASuccessorGoesOnAndSaysWhenNobodyRan) {
  for (uint64_t s = 0; s < 60; ++s) {
    Add(1, kStart + s * kSecond, 10);
  }
  file_->NoteState({.now = {.cgroup = {.id = 1},
                            .state = PressureState::kWarning,
                            .sample = {.some_avg60 = 12.5}},
                    .previous = PressureState::kOk,
                    .cause = PressureCause::kStalls,
                    .boottime_ns = kStart + 5 * kSecond,
                    .previous_since_ns = kStart + kSecond});
  Open(kStart + 500 * kSecond);
  ASSERT_EQ(file_->resumed().size(), 1U);
  EXPECT_EQ(file_->resumed()[0].cgroup.path, "/c1");
  EXPECT_EQ(file_->resumed()[0].state, PressureState::kWarning);
  EXPECT_EQ(file_->resumed()[0].state_since_ns, kStart + 5 * kSecond);
  EXPECT_EQ(file_->resumed()[0].previous, PressureState::kOk);
  EXPECT_EQ(file_->resumed()[0].previous_since_ns, kStart + kSecond);
  EXPECT_EQ(file_->resumed()[0].cause, PressureCause::kStalls);
  EXPECT_EQ(file_->resumed()[0].some_avg60, 12.5);
  EXPECT_FALSE(file_->resumed()[0].full_avg60);
  Add(1, kStart + 501 * kSecond, 20);
  const auto history = file_->Before(1, kStart + 502 * kSecond);
  ASSERT_TRUE(history);
  EXPECT_GE(history->points.size(), 60U);
  ASSERT_EQ(history->gaps.size(), 1U);
  EXPECT_EQ(history->gaps[0].reason, "the agent did not run");
}

TEST_F(CurveFileTest, OnlyWhatWasBeforeTheMomentIsTold) {
  for (uint64_t s = 0; s < 60; ++s) {
    Add(1, kStart + s * kSecond, s);
  }
  EXPECT_EQ(Points(1, kStart + 30 * kSecond).back().usage_bytes, 29U * 4096);
  EXPECT_TRUE(Points(1, kStart).empty());
  EXPECT_TRUE(Points(2, kStart + 60 * kSecond).empty());
}

TEST_F(CurveFileTest, AnotherBootBeginsAnew) {
  Add(1, kStart, 10);
  Open(kStart, "boot-2");
  EXPECT_EQ(file_->curves(), 0U);
  EXPECT_FALSE(file_->damaged());
}

TEST_F(CurveFileTest, AnotherVersionsFileIsBegunAnew) {
  Add(1, kStart, 10);
  file_.reset();
  std::fstream file(dir_.File("curves"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offsetof(CurveHeader, version));
  file.put(kCurveVersion - 1);
  file.close();
  Open(kStart + kSecond);
  EXPECT_EQ(file_->curves(), 0U);
  EXPECT_FALSE(file_->damaged());
  EXPECT_TRUE(Add(1, kStart + kSecond, 10));
}

TEST_F(CurveFileTest, WhoIsGoneGivesItsPlaceLast) {
  Add(1, kStart, 1);
  Add(2, kStart, 1);
  Add(3, kStart, 1);
  EXPECT_FALSE(Add(4, kStart, 1)) << "there is no room";
  file_->NoteGone(2, kStart + kSecond);
  EXPECT_FALSE(Points(2, kStart + kSecond).empty()) << "a kill may still be told";
  EXPECT_TRUE(Add(4, kStart + kSecond, 1));
  EXPECT_TRUE(Points(2, kStart + kSecond).empty());
}

TEST_F(CurveFileTest, WhoIsBackIsNotGone) {
  Add(1, kStart, 1);
  file_->NoteGone(1, kStart + 1);
  Add(1, kStart + 2, 1);
  Open(kStart + 3);
  ASSERT_EQ(file_->resumed().size(), 1U);
}

TEST_F(CurveFileTest, WhoIsNearItsLimitTakesThePlaceOfOneThatIsFar) {
  Add(1, kStart, 1, 0.6);
  Add(2, kStart, 1, 0.05);
  Add(3, kStart, 1, 0.6);
  EXPECT_TRUE(Add(4, kStart, 1, 0.9));
  EXPECT_TRUE(Points(2, kStart + kSecond).empty());
  EXPECT_FALSE(Add(5, kStart, 1, 0.9)) << "nobody is far any more";
}

TEST_F(CurveFileTest, ANumberThatIsUsedAgainIsAnotherCgroup) {
  Add(1, kStart, 10);
  file_->Add({1, "/other"}, {.boottime_ns = kStart + kSecond, .usage_bytes = 4096}, 0);
  EXPECT_EQ(Points(1, kStart + 2 * kSecond).size(), 1U);
}

TEST_F(CurveFileTest, TheFileNeverGrowsBeyondItsBound) {
  for (uint64_t id = 1; id < 50; ++id) {
    Add(id, kStart, 1, 0.9);
  }
  EXPECT_LE(std::filesystem::file_size(dir_.File("curves")), 4096U + 3 * 16384U);
}

TEST_F(CurveFileTest, ADamagedHeaderIsBegunAnewAndTold) {
  Add(1, kStart, 10);
  file_.reset();
  std::ofstream(dir_.File("curves"), std::ios::in | std::ios::binary) << "garbage!";
  Open(kStart + kSecond);
  EXPECT_TRUE(file_->damaged());
  EXPECT_TRUE(Add(1, kStart + kSecond, 10));
}

TEST_F(CurveFileTest, ACutFileIsBegunAnew) {
  Add(1, kStart, 10);
  file_.reset();
  std::filesystem::resize_file(dir_.File("curves"), 5000);
  Open(kStart + kSecond);
  EXPECT_TRUE(file_->damaged());
  EXPECT_TRUE(Add(1, kStart + kSecond, 10));
}

// Whatever the slots hold: numbers may be wrong, nothing else.
TEST_F(CurveFileTest, RandomBytesInTheSlotsDoNoHarm) {
  std::mt19937 random(4711);
  for (int round = 0; round < 50; ++round) {
    for (uint64_t s = 0; s < 200; ++s) {
      Add(1, kStart + s * kSecond, s);
    }
    file_.reset();
    {
      std::fstream file(dir_.File("curves"), std::ios::in | std::ios::out | std::ios::binary);
      for (int i = 0; i < 200; ++i) {
        file.seekp(4096 + static_cast<int>(random() % 16384));
        file.put(static_cast<char>(random()));
      }
    }
    Open(kStart + 300 * kSecond);
    uint64_t last = 0;
    for (const MemorySample& point : Points(1, kStart + 300 * kSecond)) {
      ASSERT_GT(point.boottime_ns, last);
      last = point.boottime_ns;
    }
    Add(1, kStart + 301 * kSecond, 5);
    std::filesystem::remove(dir_.File("curves"));
    Open(kStart);
  }
}

TEST_F(CurveFileTest, WithoutAPathItIsKeptInMemory) {
  auto memory = CurveFile::Open({.path = "", .max_bytes = 1 << 20, .boot_id = "b"}, kStart);
  ASSERT_TRUE(memory);
  EXPECT_FALSE((*memory)->persistent());
  EXPECT_TRUE((*memory)->Add({1, "/a"}, {.boottime_ns = kStart, .usage_bytes = 1}, 0));
  EXPECT_TRUE((*memory)->Before(1, kStart + 1));
}

TEST_F(CurveFileTest, AFolderThatIsNotThereIsAnError) {
  const auto none = CurveFile::Open({.path = dir_.File("no/where"), .boot_id = "b"}, kStart);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kPermission);
}

}  // namespace
}  // namespace oombox
