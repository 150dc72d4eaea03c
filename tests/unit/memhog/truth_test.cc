#include "tools/memhog/truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace oombox {
namespace {

using ::testing::HasSubstr;

ProcessTruth Process(int wait_status, bool expect_kill) {
  ProcessTruth process;
  process.wait_status = wait_status;
  process.expect_kill = expect_kill;
  return process;
}

TEST(TruthTest, OnlyASigkillIsAKill) {
  EXPECT_TRUE(Process(SIGKILL, true).WasSigkilled());
  EXPECT_FALSE(Process(SIGTERM, true).WasSigkilled());
  EXPECT_FALSE(Process(SIGKILL << 8, true).WasSigkilled());
}

TEST(TruthTest, AKilledNeighbourIsNotAsPlanned) {
  Truth truth;
  truth.processes = {Process(SIGKILL, true), Process(0, false)};
  EXPECT_TRUE(truth.AsPlanned());

  truth.processes[1].wait_status = SIGKILL;

  EXPECT_FALSE(truth.AsPlanned());
  EXPECT_EQ(truth.ExpectedKills(), 1u);
  EXPECT_EQ(truth.ObservedKills(), 2u);
}

TEST(TruthTest, ASurvivingHogIsNotAsPlanned) {
  Truth truth;
  truth.processes = {Process(3 << 8, true)};
  EXPECT_FALSE(truth.AsPlanned());
}

TEST(TruthTest, JsonGivesAHostileCommEscapedAndAsHex) {
  Truth truth;
  truth.processes = {Process(SIGKILL, true)};
  truth.processes[0].facts.comm = "\xff\n\"";

  const std::string json = ToJson(truth);

  EXPECT_THAT(json, HasSubstr(R"("comm":"\\xff\\x0a\"")"));
  EXPECT_THAT(json, HasSubstr(R"("comm_hex":"ff0a22")"));
}

TEST(TruthTest, JsonSaysNullWhereTheKernelHasNoCounter) {
  Truth truth;
  truth.cgroups.resize(1);
  EXPECT_THAT(ToJson(truth), HasSubstr(R"("oom_kill_before":null)"));
}

}  // namespace
}  // namespace oombox
