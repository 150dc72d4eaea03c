#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/accounting.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;

VerbResult ShowStatus(std::vector<v1::NodeStatus> nodes, const StatusOptions& options = {},
                      const RunnerOptions& runner = {.width = 0}) {
  return RunVerb(std::make_unique<NodesSource>(std::move(nodes)), runner,
                 [&](const VerbContext& context) { return RunStatus(options, context); });
}

TEST(StatusTest, ShowsCountsOfNodesItHearsOfAndNoneOfOthers) {
  const VerbResult result = ShowStatus({CompleteNode(), SilentNode()}, {.verbose = true});

  ExpectGolden("status.txt", result.out);
  EXPECT_EQ(result.exit_code, kExitPartial);
}

TEST(StatusTest, ExitsOkWhenAllAreComplete) {
  EXPECT_EQ(ShowStatus({CompleteNode()}).exit_code, kExitOk);
}

TEST(StatusTest, IsPartialWhenNoNodeIsKnown) {
  const VerbResult result = ShowStatus({});

  EXPECT_EQ(result.exit_code, kExitPartial);
  EXPECT_THAT(result.out, HasSubstr("no node has reported"));
}

TEST(StatusTest, NamesAKernelCountThatCouldNotBeRead) {
  v1::NodeStatus node = CompleteNode();
  node.mutable_report()->mutable_accounting()->clear_kernel_kills();

  const std::string text = ShowStatus({node}).out;

  EXPECT_THAT(text, HasSubstr("kills: no node's count is known"));
  EXPECT_THAT(text, HasSubstr("whose kernel's count is unreadable"));
}

TEST(StatusTest, ShowsMoreCapturedThanCountedAsItIs) {
  v1::NodeStatus node = CompleteNode();
  node.mutable_report()->mutable_accounting()->set_kernel_kills(13);

  EXPECT_THAT(ShowStatus({node}).out, HasSubstr("- 2 more captured than counted"));
}

TEST(StatusTest, PrintsReasonsInJson) {
  const VerbResult result = ShowStatus({CompleteNode()}, {}, {.format = OutputFormat::kJson});

  EXPECT_THAT(result.out, HasSubstr("fentry does not attach here"));
}

TEST(StatusTest, HidesTheHeaderWhenAsked) {
  EXPECT_THAT(ShowStatus({CompleteNode()}, {}, {.headers = false}).out,
              ::testing::StartsWith("ip-10-3-41-17"));
}

VerbResult ShowVersion(Result<v1::GetVersionResponse> server, bool check) {
  auto source = std::make_unique<NodesSource>(std::vector<v1::NodeStatus>());
  source->version = std::move(server);
  return RunVerb(std::move(source), {},
                 [&](const VerbContext& context) { return RunVersion({.check = check}, context); });
}

v1::GetVersionResponse ServerVersion(const std::string& version) {
  v1::GetVersionResponse response;
  response.set_component("oombox-collector");
  response.set_version(version);
  return response;
}

TEST(VersionTest, TellsTheClientsVersionWithoutAServer) {
  const VerbResult result =
      ShowVersion(MakeError(ErrorCode::kUnavailable, "nobody\ntry: x"), false);

  EXPECT_EQ(result.out,
            fmt::format("client  oombox {}\nserver  not known: nobody\n", ClientVersion()));
  EXPECT_EQ(result.exit_code, kExitOk);
}

TEST(VersionTest, FailsTheCheckWithoutAServer) {
  EXPECT_EQ(ShowVersion(MakeError(ErrorCode::kUnavailable, "nobody"), true).exit_code,
            kExitUnavailable);
}

TEST(VersionTest, NotesAnotherVersionAndFailsTheCheckOnIt) {
  const VerbResult result = ShowVersion(ServerVersion("9.9.9"), true);

  EXPECT_THAT(result.out, HasSubstr("the versions differ"));
  EXPECT_EQ(result.exit_code, kExitCheckFailed);
}

TEST(VersionTest, PassesTheCheckOnTheSameVersion) {
  const VerbResult result = ShowVersion(ServerVersion(std::string(ClientVersion())), true);

  EXPECT_EQ(
      result.out,
      fmt::format("client  oombox {0}\nserver  oombox-collector {0}  (the collector at test)\n",
                  ClientVersion()));
  EXPECT_EQ(result.exit_code, kExitOk);
}

}  // namespace
}  // namespace oombox
