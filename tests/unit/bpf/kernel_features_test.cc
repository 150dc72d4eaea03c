#include "agent/bpf_loader/kernel_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

class KernelFeaturesTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_.File(name)) << text;
    return dir_.File(name);
  }

  TempDir dir_;
};

TEST_F(KernelFeaturesTest, NeedsBpfAndPerfmonOrSysAdmin) {
  const std::string missing = dir_.File("none");
  // Bits 39 CAP_BPF, 38 CAP_PERFMON, 21 CAP_SYS_ADMIN (linux/capability.h).
  const auto with = [&](const char* caps) {
    return CheckMayLoad(Write("status", std::string("Name:\tx\nCapEff:\t") + caps + "\n"), missing);
  };

  EXPECT_TRUE(with("000000c000000000").has_value());
  EXPECT_TRUE(with("0000000000200000").has_value());
  EXPECT_THAT(with("0000008000000000").error().message, HasSubstr("missing CAP_PERFMON"));
  EXPECT_THAT(with("0000004000000000").error().message, HasSubstr("missing CAP_BPF:"));
  EXPECT_THAT(with("0000000000000000").error().message,
              HasSubstr("missing CAP_BPF and CAP_PERFMON"));
  EXPECT_EQ(with("0000000000000000").error().code, ErrorCode::kPermission);
}

TEST_F(KernelFeaturesTest, RefusesLockdownConfidentialityOnly) {
  const std::string all = Write("status", "CapEff:\t000001ffffffffff\n");

  EXPECT_TRUE(CheckMayLoad(all, Write("a", "none [integrity] confidentiality\n")).has_value());
  const auto refused = CheckMayLoad(all, Write("b", "none integrity [confidentiality]\n"));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("lockdown=integrity"));
}

TEST_F(KernelFeaturesTest, NamesTheRemedyWhenTheKernelHasNoBtf) {
  const auto features = ReadKernelFeatures(dir_.File("no-btf"));

  ASSERT_FALSE(features.has_value());
  EXPECT_EQ(features.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(features.error().message, HasSubstr("CONFIG_DEBUG_INFO_BTF"));
}

}  // namespace
}  // namespace oombox
