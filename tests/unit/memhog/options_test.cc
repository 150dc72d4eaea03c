#include "tools/memhog/options.h"

#include <gtest/gtest.h>

namespace oombox {
namespace {

std::variant<Options, int> Parse(std::vector<std::string> words) {
  words.insert(words.begin(), "memhog");
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  return ParseOptions(static_cast<int>(argv.size()), argv.data());
}

TEST(OptionsTest, FillsInDefaults) {
  const auto options = std::get<Options>(Parse({"grow"}));

  EXPECT_EQ(options.scenario, "grow");
  EXPECT_EQ(options.limit_bytes, 64u << 20);
  EXPECT_TRUE(options.name.starts_with("memhog-"));
  EXPECT_EQ(options.oom_score_adj, 500);
}

TEST(OptionsTest, ReadsSizesWithSuffixes) {
  const auto options = std::get<Options>(Parse({"grow", "--limit", "200Mi", "--step", "65536"}));

  EXPECT_EQ(options.limit_bytes, 200u << 20);
  EXPECT_EQ(options.step_bytes, 65536u);
}

TEST(OptionsTest, ReadsAHostileComm) {
  const auto options = std::get<Options>(Parse({"child", "--comm", "\\x1b]0;x"}));

  EXPECT_EQ(options.comm, "\x1b]0;x");
}

TEST(OptionsTest, AStormHasASmallLimitAndNeedsItsNumber) {
  const auto options = std::get<Options>(Parse({"storm", "--kills", "7", "--same-cgroup"}));

  EXPECT_EQ(options.kills, 7u);
  EXPECT_TRUE(options.same_cgroup);
  EXPECT_EQ(options.limit_bytes, 16u << 20);
  EXPECT_EQ(std::get<int>(Parse({"storm"})), 2);
}

TEST(OptionsTest, RunTakesTheRestAsTheCommand) {
  const auto options = std::get<Options>(Parse({"run", "--limit", "32Mi", "--", "sh", "-c", "x"}));

  EXPECT_EQ(options.command, (std::vector<std::string>{"sh", "-c", "x"}));
}

TEST(OptionsTest, BadUsageExitsWithTwo) {
  EXPECT_EQ(std::get<int>(Parse({})), 2);
  EXPECT_EQ(std::get<int>(Parse({"explode"})), 2);
  EXPECT_EQ(std::get<int>(Parse({"grow", "--limit", "1"})), 2);
  EXPECT_EQ(std::get<int>(Parse({"grow", "--comm", "\\q"})), 2);
  EXPECT_EQ(std::get<int>(Parse({"grow", "--name", "../x"})), 2);
  EXPECT_EQ(std::get<int>(Parse({"grow", "--help"})), 0);
}

}  // namespace
}  // namespace oombox
