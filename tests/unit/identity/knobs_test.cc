#include "agent/identity/knobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/identity/oci_spec.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kMebibyte = 1 << 20;

TEST(KnobsTest, ReadsWorkersBatchesAndHeapsFromArgumentsAndEnvironment) {
  EXPECT_THAT(KnobsOf({"gunicorn", "--workers", "4", "--threads=8", "--batch_size=20", "app:app"},
                      {"WEB_CONCURRENCY=3", "OCR_BATCH_SIZE=20", "GOMEMLIMIT=512MiB"}),
              ElementsAre(Knob{"--workers", 4}, Knob{"--threads", 8}, Knob{"--batch-size", 20},
                          Knob{"WEB_CONCURRENCY", 3}, Knob{"OCR_BATCH_SIZE", 20},
                          Knob{"GOMEMLIMIT", 512 * kMebibyte}));
}

TEST(KnobsTest, ReadsJavasAndNodesOptionsWhereverTheyStand) {
  EXPECT_THAT(
      KnobsOf(
          {"java", "-Xmx2g", "-XX:MaxRAMPercentage=75.0", "-jar", "a.jar"},
          {"JAVA_TOOL_OPTIONS=-Xms64m -Dpassword=4711", "NODE_OPTIONS=--max-old-space-size=4096"}),
      ElementsAre(Knob{"-Xmx", 2048 * kMebibyte}, Knob{"-XX:MaxRAMPercentage", 75},
                  Knob{"-Xms", 64 * kMebibyte}, Knob{"--max-old-space-size", 4096 * kMebibyte}));
}

TEST(KnobsTest, ReadsTheScriptOfAShellAndShortOptionsOfKnownPrograms) {
  EXPECT_THAT(KnobsOf({"/bin/sh", "-c", "exec gunicorn -w 4 app:app --threads 8"}, {}),
              ElementsAre(Knob{"--workers", 4}, Knob{"--threads", 8}));
  EXPECT_THAT(
      KnobsOf({"celery", "-A", "app", "worker", "-c", "6", "--max-memory-per-child=200"}, {}),
      ElementsAre(Knob{"--concurrency", 6}, Knob{"--max-memory-per-child", 200 << 10}));
  EXPECT_THAT(KnobsOf({"curl", "-w", "4", "-c", "5"}, {}), IsEmpty());
}

TEST(KnobsTest, LetsNothingElseOut) {
  EXPECT_THAT(KnobsOf({"app", "--password", "4711", "--port=8080", "--workers", "many"},
                      {"DB_PASSWORD=4711", "PIN=1234", "PORT=80", "MY_WORKERS_TOKEN=99",
                       "WORKERS=0x10", "BATCH_SIZE=", "BATCH_SIZE", "=5", ""}),
              IsEmpty());
}

TEST(KnobsTest, RefusesNumbersThatNoIntegerHolds) {
  EXPECT_THAT(KnobsOf({}, {"WORKERS=99999999999999999999", "GOMEMLIMIT=9223372036854775807T",
                           "CACHE_SIZE=5X", "POOL_SIZE=4"}),
              ElementsAre(Knob{"POOL_SIZE", 4}));
}

TEST(KnobsTest, KeepsNoMoreThanAnEventCanHold) {
  const std::vector<std::string> many(1000, "WORKERS=1");

  EXPECT_EQ(KnobsOf({}, many).size(), 32U);
}

TEST(OciSpecTest, AddsKnobsLimitAndScoreOfAContainerdAnswer) {
  RuntimeContainer container;

  AddSpec(R"({"sandboxID":"x","runtimeSpec":{"process":{"args":["w","--concurrency","2"],)"
          R"("env":["SECRET=1","OCR_WORKERS=5"],"oomScoreAdj":968},)"
          R"("linux":{"resources":{"memory":{"limit":67108864}}}}})",
          container);

  EXPECT_THAT(container.knobs, ElementsAre(Knob{"--concurrency", 2}, Knob{"OCR_WORKERS", 5}));
  EXPECT_EQ(container.memory_limit_bytes, 64U * kMebibyte);
  EXPECT_EQ(container.oom_score_adj, 968);
}

TEST(OciSpecTest, AddsNothingFromWhatIsNoSpec) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& json :
       {std::string(), std::string("null"), std::string("{"), std::string(R"({"runtimeSpec":[]})"),
        std::string(R"({"runtimeSpec":{"process":{"args":{"a":1},"env":[1,null,{}]}}})"),
        std::string(R"({"runtimeSpec":{"linux":{"resources":{"memory":{"limit":1e300}}}}})"),
        deep}) {
    RuntimeContainer container;
    AddSpec(json, container);
    EXPECT_EQ(container, RuntimeContainer{}) << json.substr(0, 80);
  }
}

}  // namespace
}  // namespace oombox
