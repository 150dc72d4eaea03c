#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

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

// A node of an agent that tells its gap, attachment, stages and uplink.
v1::NodeStatus TellingNode() {
  v1::NodeStatus node = CompleteNode();
  v1::NodeReport& report = *node.mutable_report();
  report.set_collector("collector:5137");
  v1::Attachment& attachment = *report.mutable_attachment();
  attachment.mutable_attach_time()->set_seconds((kNow - 20 * kDay) / 1'000'000'000);
  attachment.set_pin_path("/sys/fs/bpf/oombox/abi1");
  attachment.set_adopted(true);
  attachment.set_backlog_bytes(2048);
  report.mutable_depths()->set_unacknowledged(3);
  report.mutable_uplink()->set_last_error("the collector went away");
  return node;
}

TEST(StatusTest, ShowsANodeThatTellsEverything) {
  v1::NodeStatus ailing = TellingNode();
  ailing.mutable_report()->mutable_node()->set_node_name("ip-10-3-41-99");
  ailing.mutable_report()->clear_collector();
  v1::KillAccounting& accounting = *ailing.mutable_report()->mutable_accounting();
  accounting.set_kernel_kills(20);
  accounting.set_dropped_ring_full(2);
  accounting.set_gap(1);
  ailing.mutable_coverage()->set_state(v1::Coverage::STATE_INCOMPLETE);
  ailing.mutable_coverage()->set_reason("2 kills dropped, the ring was full");
  v1::StageHealth& stage = *ailing.mutable_report()->add_stages();
  stage.set_name("capture");
  stage.set_state(v1::StageHealth::STATE_STALLED);
  stage.mutable_stalled_for()->set_seconds(125);
  stage.set_reason("the disk is full");
  ailing.mutable_report()->mutable_uplink()->set_rejected(1);
  ailing.mutable_report()->mutable_depths()->set_evicted_unacknowledged(4);

  ExpectGolden("status_telling.txt", ShowStatus({TellingNode(), ailing}, {.verbose = true}).out);
}

TEST(StatusTest, SaysOnceThatThereIsNoCollector) {
  v1::NodeStatus node = TellingNode();
  v1::StageHealth& stage = *node.mutable_report()->add_stages();
  stage.set_name("uplink");
  stage.set_state(v1::StageHealth::STATE_STALLED);
  stage.set_reason("nothing was acknowledged for 60 s");
  const std::string connected = ShowStatus({node}).out;
  node.mutable_report()->clear_collector();
  const std::string alone = ShowStatus({node}).out;

  EXPECT_THAT(connected, HasSubstr("uplink stalled for"));
  EXPECT_THAT(alone, HasSubstr("no collector: the collector went away; 3 events waiting"));
  EXPECT_THAT(alone, testing::Not(HasSubstr("uplink stalled")));
}

TEST(StatusTest, TakesTheGapFromTheAgentAndShowsWhatIsNotSettledYet) {
  v1::NodeStatus node = TellingNode();
  node.mutable_report()->mutable_accounting()->set_kernel_kills(17);  // 14 + 1 + gap 0 + 2

  const std::string text = ShowStatus({node}).out;

  EXPECT_THAT(text, HasSubstr("kernel 17 = 14 kills in 12 events + 0 drops + 0 gaps"
                              " + 1 counted twice + 2 being looked into"));
}

TEST(StatusTest, ComputesTheGapOfAnAgentThatDoesNotTellIt) {
  v1::NodeStatus node = CompleteNode();
  node.mutable_report()->mutable_accounting()->set_kernel_kills(17);

  EXPECT_THAT(ShowStatus({node}).out, HasSubstr(" + 2 gaps + 1 counted twice\n"));
}

TEST(StatusTest, CountsWhatWasCapturedAndLostAmongTheGaps) {
  v1::NodeStatus node = TellingNode();
  v1::KillAccounting& accounting = *node.mutable_report()->mutable_accounting();
  accounting.Clear();
  accounting.set_kernel_kills(10);
  accounting.set_captured(9);
  accounting.set_events(6);
  accounting.set_undecodable(1);
  accounting.set_lost_damaged(2);
  accounting.set_gap(1);

  EXPECT_THAT(ShowStatus({node}).out, HasSubstr("kernel 10 = 6 events + 0 drops + 4 gaps\n"));
}

TEST(StatusTest, SaysWithoutBeingAskedWhatANodeGoesWithout) {
  v1::NodeStatus node = TellingNode();
  node.mutable_report()->mutable_attachment()->clear_pin_path();
  node.mutable_report()->mutable_accounting()->set_rankings_skipped(3);

  const std::string text = ShowStatus({node}).out;

  EXPECT_THAT(text, HasSubstr("not pinned: kills are recorded only while the agent runs"));
  EXPECT_THAT(text, HasSubstr("3 kills without memory users"));
}

TEST(StatusTest, SumsAClusterInOneLine) {
  std::vector<v1::NodeStatus> nodes(3, TellingNode());
  for (v1::NodeStatus& node : nodes) {
    v1::KillAccounting& accounting = *node.mutable_report()->mutable_accounting();
    accounting.Clear();
    accounting.set_kernel_kills(10);
    accounting.set_captured(10);
    accounting.set_events(10);
  }
  nodes[1].mutable_report()->mutable_accounting()->set_kernel_kills(11);
  nodes[1].mutable_report()->mutable_accounting()->set_gap(1);
  nodes[1].mutable_coverage()->set_state(v1::Coverage::STATE_INCOMPLETE);

  EXPECT_THAT(
      ShowStatus(nodes).out,
      ::testing::EndsWith("\n3 nodes: 2 complete · kernel 31 = 30 events + 0 drops + 1 gap\n"));
}

TEST(StatusTest, NamesAStalledStageOfANodeThatIsCompleteOtherwise) {
  v1::NodeStatus node = TellingNode();
  v1::StageHealth& stage = *node.mutable_report()->add_stages();
  stage.set_name("uplink");
  stage.set_state(v1::StageHealth::STATE_STALLED);
  stage.mutable_stalled_for()->set_seconds(std::numeric_limits<int64_t>::max());

  EXPECT_THAT(ShowStatus({node}).out, HasSubstr("uplink stalled for "));
  EXPECT_THAT(ShowStatus({node}).out, HasSubstr("it gives no reason"));
}

TEST(StatusTest, BoundsTheLinesBelowTheTable) {
  v1::NodeStatus node = TellingNode();
  node.mutable_report()->mutable_uplink()->set_rejected(2);

  const std::string text = ShowStatus(std::vector<v1::NodeStatus>(100, node)).out;

  EXPECT_THAT(text, HasSubstr("! and 80 more\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '!'), 21);
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

TEST(StatusTest, LeavesOutAloneANodeThatJsonCannotWrite) {
  v1::NodeStatus bad = CompleteNode();
  bad.mutable_report()->mutable_node()->set_node_name("bad-node");
  bad.mutable_report()->mutable_report_time()->set_seconds(int64_t{1} << 60);

  for (const OutputFormat format : {OutputFormat::kJson, OutputFormat::kJsonLines}) {
    const VerbResult result = ShowStatus({bad, CompleteNode()}, {}, {.format = format});

    EXPECT_THAT(result.out, HasSubstr("ip-10-3-41-17")) << result.error;
    EXPECT_THAT(result.out, Not(HasSubstr("bad-node")));
    EXPECT_THAT(result.notes, HasSubstr("node bad-node is left out: cannot write JSON"));
    EXPECT_THAT(result.notes, HasSubstr("\n  oombox status -o yaml\n"));
    EXPECT_EQ(result.exit_code, kExitPartial);
  }
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
