#include "agent/pressure/pressure_state.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace oombox {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kLimit = 1000 << 20;

MemorySample At(uint64_t second, double share, double unreclaimable = -1) {
  const auto bytes = [](double of) { return static_cast<uint64_t>(of * kLimit); };
  return {.boottime_ns = (1000 + second) * kSecond,
          .usage_bytes = bytes(share),
          .limit_bytes = kLimit,
          .working_set_bytes = bytes(share),
          .unreclaimable_bytes = bytes(unreclaimable < 0 ? share : unreclaimable)};
}

class PressureStateTest : public ::testing::Test {
 protected:
  // A reading a second; the states it went to.
  std::vector<PressureState> Run(uint64_t seconds, double from, double to,
                                 double unreclaimable = -1) {
    std::vector<PressureState> states;
    for (uint64_t i = 0; i < seconds; ++i) {
      const double share =
          from + (to - from) * static_cast<double>(i) / static_cast<double>(seconds);
      if (const auto change = machine_.Add(At(now_++, share, unreclaimable), std::nullopt)) {
        states.push_back(change->state);
        last_ = *change;
      }
    }
    return states;
  }

  PressureStateMachine machine_;
  PressureStateMachine::Change last_;
  uint64_t now_ = 0;
};

using States = std::vector<PressureState>;

TEST_F(PressureStateTest, ALeakOfAMinuteIsAWarningThenCritical) {
  EXPECT_EQ(Run(60, 0.0, 1.0), (States{PressureState::kWarning, PressureState::kCritical}));
  EXPECT_EQ(last_.cause, PressureCause::kWorkingSet);
  EXPECT_EQ(last_.previous, PressureState::kWarning);
}

TEST_F(PressureStateTest, NothingBelowEightyPercent) { EXPECT_EQ(Run(600, 0.79, 0.79), States()); }

TEST_F(PressureStateTest, ASpikeOfOneReadingIsNoState) {
  Run(10, 0.3, 0.3);
  EXPECT_EQ(Run(1, 0.97, 0.97), States());
  EXPECT_EQ(Run(60, 0.3, 0.3), States());
}

TEST_F(PressureStateTest, TwoReadingsWithinMillisecondsAreOne) {
  machine_.Add(At(0, 0.3), std::nullopt);
  MemorySample sample = At(1, 0.95);
  EXPECT_FALSE(machine_.Add(sample, std::nullopt));
  sample.boottime_ns += 1'000'000;
  EXPECT_FALSE(machine_.Add(sample, std::nullopt));
  sample.boottime_ns += 500'000'000;
  EXPECT_TRUE(machine_.Add(sample, std::nullopt));
}

// The reader stood still between its clock and the file, and read what the next one reads, too.
TEST_F(PressureStateTest, TwoReadingsAreAsFarApartAsTheEndOfOneAndTheBeginOfTheNext) {
  const auto add = [this](uint64_t begin_ns, uint64_t end_ns, double share) {
    MemorySample sample = At(0, share);
    sample.boottime_ns += begin_ns;
    return machine_.Add(sample, std::nullopt, true, At(0, 0).boottime_ns + end_ns);
  };
  add(0, 1'000'000, 0.3);
  EXPECT_FALSE(add(kSecond, 2 * kSecond, 0.95));
  EXPECT_FALSE(add(2 * kSecond + 200'000'000, 2 * kSecond + 201'000'000, 0.95));
  EXPECT_TRUE(add(2 * kSecond + 400'000'000, 2 * kSecond + 401'000'000, 0.95));
}

TEST_F(PressureStateTest, ItEndsAHalfMinuteBelowTheLowerThreshold) {
  Run(5, 0.85, 0.85);
  ASSERT_EQ(machine_.state(), PressureState::kWarning);
  EXPECT_EQ(Run(300, 0.77, 0.77), States());  // below 80 %, not below 75 %
  EXPECT_EQ(Run(29, 0.7, 0.7), States());
  EXPECT_EQ(Run(3, 0.7, 0.7), States{PressureState::kOk});
}

TEST_F(PressureStateTest, ASawToothIsOneAlarm) {
  Run(10, 0.95, 0.95);
  ASSERT_EQ(machine_.state(), PressureState::kCritical);
  for (int tooth = 0; tooth < 20; ++tooth) {
    EXPECT_EQ(Run(20, 0.4, 1.0), States());
  }
}

TEST_F(PressureStateTest, WhoComesBackSoonHasToStayAwayLonger) {
  size_t changes = 0;
  for (int tooth = 0; tooth < 30; ++tooth) {  // an hour of teeth of two minutes
    changes += Run(60, 0.95, 0.95).size();
    changes += Run(60, 0.3, 0.3).size();
  }
  EXPECT_LE(changes, 8U);
  EXPECT_GT(machine_.damped(), 0U);
}

TEST_F(PressureStateTest, PageCacheInUseIsNoMoreThanAWarning) {
  EXPECT_EQ(Run(60, 0.99, 0.99, 0.2), States{PressureState::kWarning});
}

TEST_F(PressureStateTest, StallsAreCriticalWhateverTheUsage) {
  MemorySample sample = At(0, 0.5);
  sample.some_avg10 = 60;
  sample.full_avg10 = 45;
  sample.some_avg60 = 20;
  sample.full_avg60 = 15;
  machine_.Add(sample, std::nullopt);
  sample.boottime_ns += kSecond;
  const auto change = machine_.Add(sample, std::nullopt);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->state, PressureState::kCritical);
  EXPECT_EQ(change->cause, PressureCause::kStalls);
}

TEST_F(PressureStateTest, AShortStallIsNone) {
  MemorySample sample = At(0, 0.5);
  sample.some_avg10 = sample.full_avg10 = 90;
  sample.some_avg60 = sample.full_avg60 = 3;
  for (int i = 0; i < 5; ++i) {
    sample.boottime_ns += kSecond;
    EXPECT_FALSE(machine_.Add(sample, std::nullopt));
  }
}

TEST_F(PressureStateTest, WithoutPsiMeasuredReclaimTellsOfStalls) {
  const ReclaimStalls stalls{.avg10 = 80, .avg60 = 40};
  machine_.Add(At(0, 0.5), stalls);
  const auto change = machine_.Add(At(1, 0.5), stalls);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->cause, PressureCause::kStalls);
  EXPECT_EQ(change->state, PressureState::kWarning) << "a sum over tasks is not all of them";
}

TEST_F(PressureStateTest, StallsThatEaseAreAWarning) {
  MemorySample sample = At(0, 0.5);
  sample.some_avg10 = sample.full_avg10 = sample.some_avg60 = sample.full_avg60 = 40;
  machine_.Add(sample, std::nullopt);
  sample.boottime_ns += kSecond;
  ASSERT_TRUE(machine_.Add(sample, std::nullopt));
  sample.full_avg10 = sample.full_avg60 = 0;
  sample.some_avg10 = sample.some_avg60 = 6;
  States states;
  for (int i = 0; i < 120; ++i) {
    sample.boottime_ns += kSecond;
    if (const auto change = machine_.Add(sample, std::nullopt)) {
      states.push_back(change->state);
    }
  }
  EXPECT_EQ(states, States{PressureState::kWarning});
}

TEST_F(PressureStateTest, AtMemoryHighAloneNobodyIsKilled) {
  for (int i = 0; i < 10; ++i) {
    MemorySample sample = At(now_++, 0.99);
    sample.high_bytes = std::exchange(sample.limit_bytes, std::nullopt);
    machine_.Add(sample, std::nullopt);
  }
  EXPECT_EQ(machine_.state(), PressureState::kWarning);
}

TEST_F(PressureStateTest, NoLimitIsNoState) {
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_FALSE(machine_.Add({.boottime_ns = i * kSecond, .usage_bytes = 1 << 30}, std::nullopt));
  }
}

TEST_F(PressureStateTest, ALimitOfNothingIsFull) {
  machine_.Add({.boottime_ns = kSecond, .usage_bytes = 4096, .limit_bytes = 0}, std::nullopt);
  const auto change = machine_.Add(
      {.boottime_ns = 2 * kSecond, .usage_bytes = 4096, .limit_bytes = 0}, std::nullopt);
  EXPECT_TRUE(change);
}

TEST_F(PressureStateTest, ARaisedLimitEndsTheAlarmAndIsNamed) {
  Run(5, 0.95, 0.95);
  for (uint64_t i = 0; i < 40; ++i) {
    MemorySample sample = At(now_++, 0.95);
    sample.limit_bytes = 4 * kLimit;
    if (const auto change = machine_.Add(sample, std::nullopt)) {
      EXPECT_EQ(change->state, PressureState::kOk);
      EXPECT_EQ(change->cause, PressureCause::kLimitChanged);
      return;
    }
  }
  FAIL() << "the alarm never ended";
}

TEST_F(PressureStateTest, RemovalEndsAnAlarmAndNothingElse) {
  PressureStateMachine calm;
  calm.Add(At(0, 0.1), std::nullopt);
  EXPECT_FALSE(calm.Remove(kSecond));
  Run(5, 0.95, 0.95);
  const auto change = machine_.Remove(2000 * kSecond);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->cause, PressureCause::kRemoved);
}

TEST_F(PressureStateTest, ResumedItDoesNotTellAgain) {
  machine_.Resume(PressureState::kCritical, PressureCause::kWorkingSet, 900 * kSecond);
  EXPECT_EQ(Run(60, 0.95, 0.95), States());
  EXPECT_EQ(machine_.since_ns(), 900 * kSecond);
}

TEST_F(PressureStateTest, TheNodeHasThresholdsOfItsOwn) {
  PressureStateMachine node(true);
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_FALSE(node.Add(At(i, 0.94), std::nullopt));
  }
  node.Add(At(10, 0.96), std::nullopt);
  const auto change = node.Add(At(11, 0.96), std::nullopt);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->state, PressureState::kWarning);
}

MemorySample Stalling(uint64_t second, double share, double full) {
  MemorySample sample = At(second, share);
  sample.some_avg10 = sample.some_avg60 = sample.full_avg10 = sample.full_avg60 = full;
  return sample;
}

TEST_F(PressureStateTest, StallsOfWhatIsBelowAreNotItsOwn) {
  for (uint64_t i = 0; i < 60; ++i) {
    EXPECT_FALSE(machine_.Add(Stalling(i, 0.5, 60), std::nullopt, false));
  }
  EXPECT_EQ(machine_.state(), PressureState::kOk);
}

TEST_F(PressureStateTest, WhoComesNearItsLimitWhileItStallsIsToldAgain) {
  States states;
  std::vector<PressureCause> causes;
  for (uint64_t i = 0; i < 60; ++i) {
    if (const auto change = machine_.Add(Stalling(i, i < 20 ? 0.5 : 0.95, 60), std::nullopt)) {
      states.push_back(change->state);
      causes.push_back(change->cause);
    }
  }
  EXPECT_EQ(states, (States{PressureState::kCritical, PressureState::kCritical}));
  EXPECT_EQ(causes, (std::vector{PressureCause::kStalls, PressureCause::kWorkingSet}));
}

TEST_F(PressureStateTest, ResumedStallsHoldAndANearLimitBesidesIsToldAgain) {
  machine_.Resume(PressureState::kCritical, PressureCause::kStalls, 900 * kSecond);
  for (uint64_t i = 0; i < 60; ++i) {
    EXPECT_FALSE(machine_.Add(Stalling(i, 0.5, 7), std::nullopt)) << "they are not over";
  }
  machine_.Add(Stalling(60, 0.95, 7), std::nullopt);
  const auto change = machine_.Add(Stalling(61, 0.95, 7), std::nullopt);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->state, PressureState::kCritical);
  EXPECT_EQ(change->cause, PressureCause::kWorkingSet);
}

TEST_F(PressureStateTest, AStallThatNobodyMeasuresAnyMoreIsNotOver) {
  for (uint64_t i = 0; i < 10; ++i) {
    machine_.Add(At(i, 0.5), ReclaimStalls{.avg10 = 50, .avg60 = 50});
  }
  ASSERT_EQ(machine_.state(), PressureState::kWarning);
  for (uint64_t i = 10; i < 100; ++i) {
    EXPECT_FALSE(machine_.Add(At(i, 0.5), std::nullopt));
  }
  EXPECT_EQ(machine_.state(), PressureState::kWarning);
}

TEST_F(PressureStateTest, ATrafficBetweenWarningAndCriticalIsDampedToo) {
  size_t changes = 0;
  for (int tooth = 0; tooth < 45; ++tooth) {  // an hour of teeth of 80 s
    changes += Run(40, 0.92, 0.92).size();
    changes += Run(40, 0.78, 0.78).size();
  }
  EXPECT_LE(changes, 6U);
  EXPECT_EQ(machine_.state(), PressureState::kCritical);
}

}  // namespace
}  // namespace oombox
