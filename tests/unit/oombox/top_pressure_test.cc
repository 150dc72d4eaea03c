#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/oombox/golden.h"
#include "tests/unit/oombox/pressure_samples.h"
#include "tests/unit/oombox/verb_runner.h"
#include "tools/oombox/render/text_width.h"

namespace oombox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Top(std::vector<v1::NodeStatus> nodes, size_t width = 0,
                const TopOptions& options = {}) {
  return RunVerb(std::make_unique<NodesSource>(std::move(nodes)), {.width = width},
                 [&](const VerbContext& context) { return RunTop(options, context); })
      .out;
}

// What stands first in each line of the table below its head, as far as `names` has it.
std::vector<std::string> Order(const std::string& text, const std::vector<std::string>& names) {
  std::vector<std::string> order;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    for (const std::string& name : names) {
      if (line.find(name) != std::string::npos) {
        order.push_back(name);
      }
    }
  }
  return order;
}

TEST(TopPressureTest, ShowsGrowthAndPressureOfContainersServicesAndTheNode) {
  ExpectGolden("top_pressure.txt", Top({WatchingNode()}));
}

TEST(TopPressureTest, KeepsTheStateAtEightyColumns) {
  const std::string text = Top({WatchingNode()}, 80);

  ExpectGolden("top_pressure_80_columns.txt", text);
  EXPECT_THAT(text.substr(0, text.find('\n')), HasSubstr("PRESSURE"));
  EXPECT_THAT(text, HasSubstr("critical"));
  EXPECT_THAT(text, Not(::testing::ContainsRegex("no room for:[^\n]*PRESSURE")));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    EXPECT_LE(TextWidth(line), 80u) << line;
  }
}

TEST(TopPressureTest, ShowsStallsInAColumnOfTheirOwn) {
  const std::string text = Top({WatchingNode()});

  EXPECT_THAT(text, ::testing::ContainsRegex("PRESSURE +STALLS"));
  EXPECT_THAT(text, ::testing::ContainsRegex("critical +full 46 %"));
  EXPECT_THAT(text, ::testing::ContainsRegex("ok +reclaim 7 %"));
}

TEST(TopPressureTest, SortsByWhatIsAskedFor) {
  const std::vector<std::string> names = {"ocr-7c9", "session-cache-0", "uid 4c9f", "batch.service",
                                          "the node itself"};
  using ::testing::ElementsAre;
  const auto sorted = [&](TopSort sort) {
    return Order(Top({WatchingNode()}, 0, {.sort = sort}), names);
  };

  EXPECT_THAT(sorted(TopSort::kCloseness), ElementsAre("session-cache-0", "the node itself",
                                                       "ocr-7c9", "batch.service", "uid 4c9f"));
  EXPECT_THAT(sorted(TopSort::kGrowth), ElementsAre("session-cache-0", "ocr-7c9", "the node itself",
                                                    "uid 4c9f", "batch.service"));
  EXPECT_THAT(sorted(TopSort::kFull), ElementsAre("session-cache-0", "ocr-7c9", "the node itself",
                                                  "batch.service", "uid 4c9f"));
  EXPECT_THAT(sorted(TopSort::kUsage), ElementsAre("the node itself", "ocr-7c9", "session-cache-0",
                                                   "batch.service", "uid 4c9f"));
}

TEST(TopPressureTest, LeavesTheNodeOutWhileItIsFarFromItsEnd) {
  v1::NodeStatus node = WatchingNode();
  v1::ContainerReport& whole = *node.mutable_report()->mutable_pressure_watch()->mutable_node();
  whole.set_state(v1::PressureEvent::STATE_OK);
  whole.set_working_set_bytes(1 << 30);

  EXPECT_THAT(Top({node}), Not(HasSubstr("the node itself")));
}

TEST(TopPressureTest, NamesTheNodeOfEachRowWhereThereAreSeveral) {
  v1::NodeStatus other = WatchingNode();
  other.mutable_report()->mutable_node()->set_node_name("ip-10-3-41-18");

  ExpectGolden("top_two_nodes.txt", Top({WatchingNode(), other}, 120));
}

TEST(TopPressureTest, SaysWhatAnOlderAgentDoesNotTell) {
  v1::NodeStatus old = WatchingNode();
  old.mutable_report()->clear_pressure_watch();
  for (v1::ContainerReport& container : *old.mutable_report()->mutable_containers()) {
    container.clear_state();
    container.clear_pressure();
    container.clear_trend();
  }

  EXPECT_THAT(Top({old}), HasSubstr("growth and state not told by 1 node"));
}

}  // namespace
}  // namespace oombox
