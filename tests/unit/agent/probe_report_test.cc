#include "agent/probe_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace oombox {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ProbeReportTest, SaysWhatThereIsAndWhyTheRestIsNot) {
  const std::string text =
      RenderProbe("6.18.1", {{.feature = "container_names", .reason = "no-cri is set"}});

  EXPECT_THAT(text, StartsWith("Linux 6.18.1\n"));
  EXPECT_THAT(text, HasSubstr("\nyes  kills                  every OOM kill"));
  EXPECT_THAT(text, HasSubstr("\nno   container_names        no-cri is set\n"));
  EXPECT_THAT(text, HasSubstr("\nyes  container_names.early  they are known before the kill"));
}

}  // namespace
}  // namespace oombox
