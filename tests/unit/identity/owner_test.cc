#include "agent/identity/owner.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

constexpr int64_t kCreated = 1'763'665'260'000'000'000;  // 2025-11-20T19:01:00Z: minute 29394421

TEST(OwnerTest, IsTheDeploymentWhoseTemplateHashIsInThePodsName) {
  EXPECT_EQ(
      OwnerOf("sie-worker-ocr-7c9d6b5f4-x2kqp", {{"pod-template-hash", "7c9d6b5f4"}}, kCreated),
      "deployment/sie-worker-ocr");
}

TEST(OwnerTest, BelievesNoLabelThatDoesNotFitTheName) {
  EXPECT_EQ(OwnerOf("innocent", {{"pod-template-hash", "7c9d6b5f4"}}, kCreated), "");
  EXPECT_EQ(OwnerOf("other-abcde-x2kqp", {{"pod-template-hash", "7c9d6b5f4"}}, kCreated), "");
  EXPECT_EQ(OwnerOf("pod", {{"job-name", "import"}}, kCreated), "");
  EXPECT_EQ(OwnerOf("db-0", {{"statefulset.kubernetes.io/pod-name", "db-1"}}, kCreated), "");
}

TEST(OwnerTest, KnowsTheOtherControllers) {
  EXPECT_EQ(OwnerOf("db-12",
                    {{"statefulset.kubernetes.io/pod-name", "db-12"},
                     {"controller-revision-hash", "db-5f6b7c8d9"}},
                    kCreated),
            "statefulset/db");
  EXPECT_EQ(OwnerOf("kube-proxy-x2kqp",
                    {{"controller-revision-hash", "6d4f5b7c9"}, {"pod-template-generation", "3"}},
                    kCreated),
            "daemonset/kube-proxy");
  EXPECT_EQ(OwnerOf("import-x2kqp", {{"job-name", "import"}}, kCreated), "job/import");
  EXPECT_EQ(OwnerOf("import-3-x2kqp", {{"batch.kubernetes.io/job-name", "import"}}, kCreated),
            "job/import");
}

TEST(OwnerTest, TellsACronJobByTheScheduledMinuteAndNoDate) {
  EXPECT_EQ(OwnerOf("nightly-29394420-x2kqp", {{"job-name", "nightly-29394420"}}, kCreated),
            "cronjob/nightly");
  EXPECT_EQ(OwnerOf("backup-20261127-x2kqp", {{"job-name", "backup-20261127"}}, kCreated),
            "job/backup-20261127");
  EXPECT_EQ(OwnerOf("report-31122025-x2kqp", {{"job-name", "report-31122025"}}, kCreated),
            "job/report-31122025");
}

TEST(OwnerTest, IsNobodyOfAPodThatNobodyMade) {
  EXPECT_EQ(OwnerOf("debug", {{"app", "debug"}}, kCreated), "");
  EXPECT_EQ(OwnerOf("", {}, kCreated), "");
  EXPECT_EQ(OwnerOf("-", {{"pod-template-hash", ""}}, kCreated), "");
}

}  // namespace
}  // namespace oombox
