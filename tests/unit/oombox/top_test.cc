#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/oombox/sample_events.h"
#include "tests/unit/oombox/verb_runner.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMib = 1 << 20;

void AddContainer(const std::string& pod, uint64_t usage, uint64_t limit, v1::NodeStatus& node) {
  v1::ContainerReport* at = node.mutable_report()->add_containers();
  at->set_usage_bytes(usage);
  if (limit > 0) {
    at->set_limit_bytes(limit);
  }
  at->set_restarts(2);
  v1::Container* container = at->mutable_container();
  container->set_namespace_name("docs");
  container->set_pod_name(pod);
  container->set_container_name("worker");
  container->set_owner("deployment/ocr");
}

v1::NodeStatus Node() {
  v1::NodeStatus node = CompleteNode();
  AddContainer("idle", 10 * kMib, 100 * kMib, node);
  AddContainer("unlimited", 900 * kMib, 0, node);
  AddContainer("full", 95 * kMib, 100 * kMib, node);
  node.mutable_report()->set_containers_total(3);
  return node;
}

VerbResult Top(std::vector<v1::NodeStatus> nodes, const TopOptions& options = {},
               OutputFormat format = OutputFormat::kDefault) {
  return RunVerb(std::make_unique<NodesSource>(std::move(nodes)), {.format = format, .width = 0},
                 [&](const VerbContext& context) { return RunTop(options, context); });
}

TEST(TopTest, ShowsTheNearestToItsLimitFirst) {
  const VerbResult result = Top({Node()});

  EXPECT_EQ(result.exit_code, kExitOk);
  const size_t full = result.out.find("full");
  const size_t idle = result.out.find("idle");
  const size_t unlimited = result.out.find("unlimited");
  EXPECT_LT(full, idle) << result.out;
  EXPECT_LT(idle, unlimited) << result.out;
  EXPECT_THAT(result.out, HasSubstr("95 %"));
  EXPECT_THAT(result.out, HasSubstr("none"));
}

TEST(TopTest, ShowsTheFirstTwentyUnlessAllAreAskedFor) {
  v1::NodeStatus node = CompleteNode();
  for (int i = 0; i < 25; ++i) {
    AddContainer("pod-" + std::to_string(i), kMib, 100 * kMib, node);
  }
  node.mutable_report()->set_containers_total(25);

  EXPECT_THAT(Top({node}).out, HasSubstr("and 5 more: --all"));
  EXPECT_THAT(Top({node}, {.all = true}).out, Not(HasSubstr("more")));
}

TEST(TopTest, ChoosesLikeListDoes) {
  const std::string text = Top({Node()}, {.filter = {.pod = "docs/fu*"}}).out;

  EXPECT_THAT(text, HasSubstr("full"));
  EXPECT_THAT(text, Not(HasSubstr("idle")));
  EXPECT_THAT(Top({Node()}, {.filter = {.owner = "sts/ocr"}}).out, HasSubstr("no container"));
}

TEST(TopTest, IsPartialWhenANodeIsSilent) {
  const VerbResult result = Top({Node(), SilentNode()});

  EXPECT_EQ(result.exit_code, kExitPartial);
  EXPECT_THAT(result.out, HasSubstr("! 1 of 2 nodes not heard of lately"));
}

TEST(TopTest, IsPartialWhenANodeTellsNotAllOfThem) {
  v1::NodeStatus cut = Node();
  cut.mutable_report()->set_containers_total(3000);
  v1::NodeStatus old = CompleteNode();  // of an agent that lists none

  for (const v1::NodeStatus& node : {cut, old}) {
    const VerbResult result = Top({node});
    EXPECT_EQ(result.exit_code, kExitPartial);
    EXPECT_THAT(result.out, HasSubstr("do not tell all of their containers"));
    EXPECT_THAT(result.out, Not(HasSubstr("no container")));
  }
}

TEST(TopTest, CountsOnlyTheNodesAskedFor) {
  EXPECT_EQ(Top({Node(), SilentNode()}, {.filter = {.host = Node().report().node().node_name()}})
                .exit_code,
            kExitOk);
}

TEST(TopTest, PrintsWhatAProgramReads) {
  EXPECT_THAT(Top({Node()}, {}, OutputFormat::kJsonLines).out, HasSubstr("\"pod_name\":\"full\""));
}

TEST(TopTest, LeavesOutAloneANodeThatJsonCannotWrite) {
  v1::NodeStatus bad = Node();
  bad.mutable_report()->mutable_node()->set_node_name("bad-node");
  bad.mutable_report()->mutable_report_time()->set_seconds(int64_t{1} << 60);

  for (const OutputFormat format : {OutputFormat::kJson, OutputFormat::kJsonLines}) {
    const VerbResult result = Top({bad, Node()}, {}, format);

    EXPECT_THAT(result.out, HasSubstr("\"full\"")) << result.error;
    EXPECT_THAT(result.notes, HasSubstr("node bad-node is left out"));
    EXPECT_EQ(result.exit_code, kExitPartial);
  }
}

// As NodesSource, with a kill.
class KilledSource final : public EventSource {
 public:
  std::string Describe() const override { return "test"; }
  Result<EventList> ListEvents(const ListRequest&) override {
    v1::Event kill = HogEvent("4k7qzd0123456789", 6 * kMinute);
    v1::Container* container = kill.mutable_oom()->mutable_container();
    container->set_namespace_name("docs");
    container->set_pod_name("idle");
    container->set_container_name("worker");
    container->set_container_id("the one before");
    *kill.mutable_node() = Node().report().node();
    return EventList{.events = {kill}};
  }
  Result<v1::Event> GetEvent(std::string_view) override { return v1::Event(); }
  Result<v1::ExplainEventResponse> Explain(std::string_view) override {
    return v1::ExplainEventResponse();
  }
  Status Watch(const WatchRequest&, const WatchSink&, std::stop_token) override { return {}; }
  Result<std::vector<v1::NodeStatus>> Nodes() override { return std::vector{Node()}; }
  Result<v1::GetVersionResponse> Version() override { return v1::GetVersionResponse(); }
};

TEST(TopTest, TellsTheLastKillOfAContainerThatWasStartedAgain) {
  const VerbResult result = RunVerb(std::make_unique<KilledSource>(), {.width = 0},
                                    [](const VerbContext& context) { return RunTop({}, context); });

  EXPECT_THAT(result.out, ::testing::ContainsRegex("idle [^\n]* 6m"));
  EXPECT_THAT(result.out, Not(::testing::ContainsRegex("full [^\n]* 6m")));
}

}  // namespace
}  // namespace oombox
