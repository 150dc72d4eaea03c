#include "tools/oombox/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/store/fixture.h"
#include "tools/oombox/connect_error.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

Result<Invocation> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "oombox");
  return ParseCommandLine(static_cast<int>(words.size()), words.data());
}

std::string ErrorOf(std::vector<const char*> words) {
  const auto invocation = Parse(std::move(words));
  return invocation.has_value() ? "no error" : invocation.error().message;
}

TEST(CommandLineTest, TakesGlobalOptionsBeforeAndAfterTheVerb) {
  for (const auto& words : {std::vector<const char*>{"--local", "list", "--last", "3"},
                            std::vector<const char*>{"list", "--last", "3", "--local"}}) {
    const auto invocation = Parse(words);
    ASSERT_TRUE(invocation.has_value()) << invocation.error().message;
    EXPECT_TRUE(invocation->global.local);
    EXPECT_EQ(invocation->list.last, 3);
  }
}

TEST(CommandLineTest, ExplainsTheLatestWhenNothingIsNamed) {
  EXPECT_EQ(Parse({"explain"})->argument, "latest");
  EXPECT_EQ(Parse({"explain", "4k7q"})->argument, "4k7q");
}

TEST(CommandLineTest, ReadsStandardInputFromADash) {
  EXPECT_EQ(Parse({"list", "-f", "-"})->global.file, "-");
}

TEST(CommandLineTest, ReadsFormatsAndColours) {
  const auto invocation = Parse({"list", "-o", "jsonl", "--color", "never"});

  EXPECT_EQ(invocation->global.format, OutputFormat::kJsonLines);
  EXPECT_EQ(invocation->global.color, ColorMode::kNever);
}

TEST(CommandLineTest, GuessesWhatWasMeant) {
  EXPECT_EQ(ErrorOf({"lst"}), "unknown verb \"lst\"\ntry: list   (did you mean that?)");
  EXPECT_EQ(ErrorOf({"list", "--sinc", "3h"}),
            "unknown option \"--sinc\"\ntry: --since   (did you mean that?)");
  EXPECT_EQ(ErrorOf({"frobnicate"}), "unknown verb \"frobnicate\"\ntry: oombox --help");
}

TEST(CommandLineTest, RefusesNonsense) {
  EXPECT_THAT(ErrorOf({}), HasSubstr("say what to do"));
  EXPECT_THAT(ErrorOf({"list", "-o", "xml"}), HasSubstr("\"xml\" is none of"));
  EXPECT_THAT(ErrorOf({"list", "--last", "0"}), HasSubstr("--last"));
  EXPECT_THAT(ErrorOf({"list", "--comm", ""}), HasSubstr("is empty"));
  EXPECT_THAT(ErrorOf({"list", "--kind", "leak"}), HasSubstr("--kind"));
  EXPECT_THAT(ErrorOf({"list", "--local", "-f", "x"}), HasSubstr("whom to ask"));
  EXPECT_THAT(ErrorOf({"explain", "a", "b"}), HasSubstr("one argument too many"));
  EXPECT_EQ(Parse({"lst"}).error().code, ErrorCode::kInvalid);
}

TEST(CommandLineTest, PrintsHelpWithExamples) {
  const auto help = Parse({"list", "--help"});

  ASSERT_EQ(help->verb, Verb::kPrinted);
  EXPECT_THAT(help->text, HasSubstr("oombox list --since 3h"));
  ExpectGolden("help.txt", Parse({"--help"})->text);
  ExpectGolden("help_list.txt", help->text);
}

class CompletionTest : public ::testing::Test {
 protected:
  // Lets `shell` parse the script without running it.
  static void ExpectParses(const std::string& shell, const std::string& script) {
    if (std::system(("command -v " + shell + " >/dev/null").c_str()) != 0) {
      GTEST_SKIP() << shell << " is not installed";
    }
    const TempDir dir;
    const std::string path = dir.File("completion." + shell);
    std::ofstream(path) << script;
    EXPECT_EQ(std::system((shell + " -n " + path).c_str()), 0);
  }
  const CompletionModel model_ = Parse({"completion", "bash"})->completion;
};

TEST_F(CompletionTest, BashCanParseItsScript) { ExpectParses("bash", BashCompletion(model_)); }
TEST_F(CompletionTest, ZshCanParseItsScript) { ExpectParses("zsh", ZshCompletion(model_)); }
TEST_F(CompletionTest, FishCanParseItsScript) { ExpectParses("fish", FishCompletion(model_)); }

TEST_F(CompletionTest, KnowsEveryVerbAndFlag) {
  ExpectGolden("completion.bash", BashCompletion(model_));
  ExpectGolden("completion.zsh", ZshCompletion(model_));
  ExpectGolden("completion.fish", FishCompletion(model_));
}

TEST_F(CompletionTest, CompletesInBash) {
  const TempDir dir;
  const std::string path = dir.File("completion.run");
  std::ofstream(path) << BashCompletion(model_)
                      << "COMP_WORDS=(oombox list --kind p); COMP_CWORD=3; _oombox\n"
                         "[ \"${COMPREPLY[*]}\" = pressure ] || exit 1\n"
                         "COMP_WORDS=(oombox ex); COMP_CWORD=1; _oombox\n"
                         "[ \"${COMPREPLY[*]}\" = explain ] || exit 2\n"
                         "COMP_WORDS=(oombox --local watch --re); COMP_CWORD=3; _oombox\n"
                         "[ \"${COMPREPLY[*]}\" = --reconnect ] || exit 3\n";

  EXPECT_EQ(std::system(("bash " + path).c_str()), 0);
}

TEST(ConnectErrorTest, TellsWhatToTryWhenTheDefaultCollectorRefuses) {
  const Error error =
      ConnectError("127.0.0.1:5137", "failed to connect to all addresses: Connection refused");

  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  ExpectGolden("refused_collector.txt", error.message + "\n");
}

TEST(ConnectErrorTest, AsksForTheAgentWhenItsSocketIsMissing) {
  const Error error = ConnectError("unix:/run/oombox/agent.sock", "No such file or directory");

  ExpectGolden("missing_socket.txt", error.message + "\n");
  EXPECT_FALSE(MayPass("No such file or directory"));
}

TEST(ConnectErrorTest, NamesTheRightThatIsMissing) {
  const Error error = ConnectError("unix:/run/oombox/agent.sock", "Permission denied");

  EXPECT_EQ(error.code, ErrorCode::kPermission);
  ExpectGolden("forbidden_socket.txt", error.message + "\n");
}

}  // namespace
}  // namespace oombox
