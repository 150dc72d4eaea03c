#include "agent/uplink/backoff.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

using std::chrono::milliseconds;

TEST(BackoffTest, DoublesItsBoundUpToTheMaximum) {
  Backoff backoff({milliseconds(500), milliseconds(3000)}, [] { return 0.5; });

  EXPECT_EQ(backoff.Next(), milliseconds(250));
  EXPECT_EQ(backoff.Next(), milliseconds(500));
  EXPECT_EQ(backoff.Next(), milliseconds(1000));
  EXPECT_EQ(backoff.Next(), milliseconds(1500));
  EXPECT_EQ(backoff.Next(), milliseconds(1500));
}

TEST(BackoffTest, StartsAgainAfterReset) {
  Backoff backoff({milliseconds(500), milliseconds(30'000)}, [] { return 0.5; });
  backoff.Next();
  backoff.Next();

  backoff.Reset();

  EXPECT_EQ(backoff.Next(), milliseconds(250));
}

TEST(BackoffTest, SpreadsPausesOverTheWholeBound) {
  Backoff backoff({milliseconds(1000), milliseconds(1000)}, SystemRandom());
  milliseconds least(1000);
  milliseconds most(0);

  for (int i = 0; i < 1000; ++i) {
    const milliseconds pause = backoff.Next();
    least = std::min(least, pause);
    most = std::max(most, pause);
  }

  EXPECT_LT(least, milliseconds(100));
  EXPECT_GT(most, milliseconds(900));
  EXPECT_LE(most, milliseconds(1000));
}

}  // namespace
}  // namespace oombox
