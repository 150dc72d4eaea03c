#include "agent/pressure/reclaim_brake.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

using Order = ReclaimBrake::Order;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kMs = 1'000'000;

TEST(ReclaimBrakeTest, WithinItsBudgetItGoesOn) {
  ReclaimBrake brake(20);

  EXPECT_EQ(brake.Look(10 * kSecond, 10 * kSecond, 200 * kMs, false), Order::kNone);
  EXPECT_EQ(brake.Look(20 * kSecond, 10 * kSecond, 400 * kMs, false), Order::kNone);
  EXPECT_EQ(brake.took_ns(), 200 * kMs);
  EXPECT_EQ(brake.times(), 0U);
}

TEST(ReclaimBrakeTest, AboveItIsOffForAMinuteAndThenHasAnotherChance) {
  ReclaimBrake brake(20);

  EXPECT_EQ(brake.Look(10 * kSecond, 10 * kSecond, 201 * kMs, false), Order::kDisarm);
  EXPECT_EQ(brake.Look(60 * kSecond, 10 * kSecond, 201 * kMs, true), Order::kNone);
  EXPECT_EQ(brake.Look(70 * kSecond, 10 * kSecond, 201 * kMs, true), Order::kArm);
  EXPECT_EQ(brake.Look(80 * kSecond, 10 * kSecond, 300 * kMs, false), Order::kNone);
  EXPECT_EQ(brake.Look(90 * kSecond, 10 * kSecond, 600 * kMs, false), Order::kDisarm);
  EXPECT_EQ(brake.Look(140 * kSecond, 10 * kSecond, 600 * kMs, true), Order::kNone);
  EXPECT_EQ(brake.times(), 2U);
}

TEST(ReclaimBrakeTest, WhatTookLongBecauseTheLookWasLateIsWithinItsBudget) {
  ReclaimBrake brake(20);

  EXPECT_EQ(brake.Look(100 * kSecond, 100 * kSecond, 1900 * kMs, false), Order::kNone);
}

}  // namespace
}  // namespace oombox
