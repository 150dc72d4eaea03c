#include "agent/uplink/window.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

TEST(WindowTest, HasRoomForALimitedNumberOfEvents) {
  Window window({.events = 2, .bytes = 100}, 0);
  window.AddSent(1, 10);
  EXPECT_TRUE(window.HasRoomFor(10));

  window.AddSent(2, 10);

  EXPECT_FALSE(window.HasRoomFor(10));
}

TEST(WindowTest, HasRoomForALimitedNumberOfBytes) {
  Window window({.events = 10, .bytes = 100}, 0);
  window.AddSent(1, 60);

  EXPECT_TRUE(window.HasRoomFor(40));
  EXPECT_FALSE(window.HasRoomFor(41));
}

TEST(WindowTest, TakesAnEventOfAnySizeWhenEmpty) {
  const Window window({.events = 10, .bytes = 100}, 0);

  EXPECT_TRUE(window.HasRoomFor(1000));
}

TEST(WindowTest, AcknowledgingGivesRoomBackAndCountsWhatItSettles) {
  Window window({.events = 3, .bytes = 100}, 5);
  window.AddSent(7, 30);
  window.AddSent(9, 30);
  window.AddSent(12, 30);

  EXPECT_EQ(window.Acknowledge(9), 2u);

  EXPECT_EQ(window.acknowledged(), 9u);
  EXPECT_EQ(window.in_flight(), 1u);
  EXPECT_TRUE(window.HasRoomFor(70));
}

TEST(WindowTest, AnAcknowledgementThatIsRepeatedSettlesNothing) {
  Window window({.events = 3, .bytes = 100}, 0);
  window.AddSent(1, 30);
  window.Acknowledge(1);

  EXPECT_TRUE(window.CanAcknowledge(1));
  EXPECT_EQ(window.Acknowledge(1), 0u);
  EXPECT_EQ(window.acknowledged(), 1u);
}

TEST(WindowTest, CannotAcknowledgeWhatWasNeverSent) {
  Window window({.events = 3, .bytes = 100}, 4);
  EXPECT_FALSE(window.CanAcknowledge(5));

  window.AddSent(6, 10);

  EXPECT_TRUE(window.CanAcknowledge(6));
  EXPECT_FALSE(window.CanAcknowledge(7));
}

TEST(WindowTest, ASkippedEventIsSettledOnceAllBeforeItAre) {
  Window window({.events = 3, .bytes = 100}, 0);
  window.AddSent(1, 10);
  window.AddSkipped(2);
  EXPECT_EQ(window.acknowledged(), 0u);
  EXPECT_FALSE(window.CanAcknowledge(2));

  window.Acknowledge(1);

  EXPECT_EQ(window.acknowledged(), 2u);
}

TEST(WindowTest, ASkippedEventBehindNothingIsSettledAtOnce) {
  Window window({.events = 3, .bytes = 100}, 0);

  window.AddSkipped(1);

  EXPECT_EQ(window.acknowledged(), 1u);
  EXPECT_EQ(window.last(), 1u);
}

}  // namespace
}  // namespace oombox
