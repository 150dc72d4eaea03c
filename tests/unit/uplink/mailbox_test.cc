#include "agent/uplink/mailbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace oombox {
namespace {

using Clock = std::chrono::steady_clock;

v1::IngestResponse AckOf(uint64_t seq) {
  v1::IngestResponse response;
  response.mutable_ack()->set_seq(seq);
  return response;
}

TEST(MailboxTest, GivesResponsesInTheirOrder) {
  Mailbox mailbox;
  mailbox.OnResponse(AckOf(1));
  mailbox.OnResponse(AckOf(2));

  EXPECT_EQ(mailbox.Take()->ack().seq(), 1u);
  EXPECT_EQ(mailbox.Take()->ack().seq(), 2u);
  EXPECT_FALSE(mailbox.Take().has_value());
}

TEST(MailboxTest, StopsReadingWhenFullAndResumesOnce) {
  Mailbox mailbox;
  for (size_t i = 1; i < Mailbox::kCapacity; ++i) {
    EXPECT_TRUE(mailbox.OnResponse(AckOf(i)));
  }
  EXPECT_FALSE(mailbox.OnResponse(AckOf(Mailbox::kCapacity)));
  EXPECT_FALSE(mailbox.TakeResume());

  mailbox.Take();

  EXPECT_TRUE(mailbox.TakeResume());
  EXPECT_FALSE(mailbox.TakeResume());
}

TEST(MailboxTest, WaitReturnsForWhatHappenedBeforeIt) {
  Mailbox mailbox;
  mailbox.OnBroken();

  mailbox.Wait({}, Clock::time_point::max());

  EXPECT_TRUE(mailbox.broken());
}

TEST(MailboxTest, WaitReturnsWhenStopIsRequested) {
  Mailbox mailbox;
  std::jthread waiter(
      [&](const std::stop_token& stop) { mailbox.Wait(stop, Clock::time_point::max()); });

  waiter.request_stop();
  waiter.join();
}

TEST(MailboxTest, WaitReturnsAtItsDeadline) {
  Mailbox mailbox;
  const auto deadline = Clock::now() + std::chrono::milliseconds(5);

  mailbox.Wait({}, deadline);

  EXPECT_GE(Clock::now(), deadline);
}

TEST(MailboxTest, AMessageMayBeSentAtFirstAndAfterEachOneThatLeft) {
  Mailbox mailbox;
  EXPECT_TRUE(mailbox.has_turn());

  mailbox.TakeTurn();
  EXPECT_FALSE(mailbox.has_turn());

  mailbox.OnWritten();
  EXPECT_TRUE(mailbox.has_turn());
}

}  // namespace
}  // namespace oombox
