#include "agent/common/config_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigTableTest : public ::testing::Test {
 protected:
  ~ConfigTableTest() override {
    unsetenv("OOMBOX_T_STATE_DIR");
    unsetenv("OOMBOX_T_INSECURE");
    unsetenv("OOMBOX_T_CONFIG");
  }

  Result<ConfigOutcome> Load(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "tool");
    return LoadConfig(Table(), static_cast<int>(arguments.size()), arguments.data());
  }

  ConfigTable Table() {
    return {.program = "tool",
            .description = "A tool.",
            .env_prefix = "OOMBOX_T_",
            .default_file = file_,
            .version = "1",
            .options = {{"state-dir", &state_dir_, "Folder"},
                        {"ring-bytes", &ring_bytes_, "Size"},
                        {"insecure", &insecure_, "Flag"},
                        {"collector", &collector_, "List"},
                        {"adj", &adj_, "Signed", ConfigOption::Kind::kSignedSetting},
                        {"uninstall", &uninstall_, "Do", ConfigOption::Kind::kCommand}}};
  }

  void WriteFile(const std::string& text) { std::ofstream(file_) << text; }

  const TempDir dir_;
  const std::string file_ = dir_.File("config.toml");
  std::string state_dir_ = "default";
  int64_t ring_bytes_ = 1;
  bool insecure_ = false;
  int64_t adj_ = 0;
  bool uninstall_ = false;
  std::vector<std::string> collector_;
};

TEST_F(ConfigTableTest, KeepsDefaultsWhenNothingIsGiven) {
  ASSERT_TRUE(Load({}).has_value());

  EXPECT_EQ(state_dir_, "default");
  EXPECT_FALSE(insecure_);
}

TEST_F(ConfigTableTest, PrefersFlagToEnvironmentToFileToDefault) {
  WriteFile("state-dir = \"file\"\nring-bytes = 7\n");
  ASSERT_TRUE(Load({}).has_value());
  EXPECT_EQ(state_dir_, "file");
  EXPECT_EQ(ring_bytes_, 7);

  setenv("OOMBOX_T_STATE_DIR", "env", 1);
  ASSERT_TRUE(Load({}).has_value());
  EXPECT_EQ(state_dir_, "env");

  ASSERT_TRUE(Load({"--state-dir", "flag"}).has_value());
  EXPECT_EQ(state_dir_, "flag");
}

TEST_F(ConfigTableTest, RefusesAnUnknownKeyInTheFile) {
  WriteFile("state_dir = \"x\"\n");

  const auto outcome = Load({});

  ASSERT_FALSE(outcome.has_value());
  EXPECT_THAT(outcome.error().message, HasSubstr("unknown key \"state_dir\""));
}

TEST_F(ConfigTableTest, RefusesAnUnknownFlag) {
  const auto outcome = Load({"--nonsense"});

  ASSERT_FALSE(outcome.has_value());
  EXPECT_THAT(outcome.error().message, HasSubstr("--nonsense"));
  EXPECT_THAT(outcome.error().message, HasSubstr("--help"));
}

TEST_F(ConfigTableTest, NamesThePlaceOfAValueThatIsNoNumber) {
  WriteFile("ring-bytes = \"much\"\n");

  const auto outcome = Load({});

  ASSERT_FALSE(outcome.has_value());
  EXPECT_THAT(outcome.error().message, HasSubstr("ring-bytes"));
  EXPECT_THAT(outcome.error().message, HasSubstr("much"));
}

TEST_F(ConfigTableTest, RefusesANegativeNumber) {
  EXPECT_FALSE(Load({"--ring-bytes=-4"}).has_value());
}

TEST_F(ConfigTableTest, TakesAListFromFlagsAndFromCommas) {
  ASSERT_TRUE(Load({"--collector", "a:1,b:2", "--collector", "c:3"}).has_value());

  EXPECT_THAT(collector_, ElementsAre("a:1", "b:2", "c:3"));
}

TEST_F(ConfigTableTest, TakesABooleanAsBareFlagAndFromTheEnvironment) {
  ASSERT_TRUE(Load({"--insecure"}).has_value());
  EXPECT_TRUE(insecure_);

  setenv("OOMBOX_T_INSECURE", "maybe", 1);
  EXPECT_FALSE(Load({}).has_value());
}

TEST_F(ConfigTableTest, RefusesAFileThatWasNamedAndIsMissing) {
  const auto outcome = Load({"--config", "/nonexistent/file.toml"});

  ASSERT_FALSE(outcome.has_value());
  EXPECT_THAT(outcome.error().message, HasSubstr("/nonexistent/file.toml"));
}

TEST_F(ConfigTableTest, PrintsEverySettingAsMarkdown) {
  const std::string markdown = ConfigMarkdown(Table());

  EXPECT_THAT(markdown, HasSubstr("| `state-dir` | `OOMBOX_T_STATE_DIR` | `default` | Folder |"));
}

TEST_F(ConfigTableTest, TakesNegativeNumbersOnlyWhereTheyMakeSense) {
  EXPECT_TRUE(Load({"--adj", "-1000"}).has_value());
  EXPECT_EQ(adj_, -1000);
  EXPECT_FALSE(Load({"--ring-bytes", "-5"}).has_value());
}

TEST_F(ConfigTableTest, TakesACommandFromTheCommandLineOnly) {
  ASSERT_TRUE(Load({"--uninstall"}).has_value());
  EXPECT_TRUE(uninstall_);

  WriteFile("uninstall = true\n");
  EXPECT_FALSE(Load({}).has_value());
  EXPECT_THAT(ConfigMarkdown(Table()), ::testing::Not(HasSubstr("uninstall")));
}

}  // namespace
}  // namespace oombox
