#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "agent/store/event_store.h"
#include "tests/unit/store/fixture.h"

namespace oombox {
namespace {

// Makes filters and events out of a small stock of awkward texts, so that comparisons often hold.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  v1::Event Event(uint64_t number) {
    v1::Event event = TestOom(number);
    event.mutable_event_time()->set_seconds(kTime + Below(4));
    event.mutable_node()->set_node_name(Text());
    event.mutable_node()->set_cluster_name(Text());
    switch (Below(4)) {
      case 0:
        event.mutable_gap()->set_detail("gap");
        break;
      case 1:
        event.mutable_pressure()->set_workload(Text());
        event.mutable_pressure()->mutable_cgroup()->set_path(Text());
        break;
      default:
        event.mutable_oom()->set_workload(Text());
        event.mutable_oom()->mutable_cgroups(0)->set_path(Text());
        event.mutable_oom()->mutable_victims(0)->set_comm(Text());
        event.mutable_oom()->mutable_victims(0)->set_tgid(Below(4));
        *event.mutable_oom()->mutable_container() = Container();
        event.mutable_oom()->set_superseded_by(Below(4) == 0 ? TestId(1) : "");
    }
    return event;
  }

  std::string FilterText(int depth = 0) {
    const uint32_t choice = depth > 3 ? 9 : Below(10);
    if (choice < 4) {
      const std::string joiner = Below(2) == 0 ? " AND " : " OR ";
      return "(" + FilterText(depth + 1) + joiner + FilterText(depth + 1) + ")";
    }
    return choice == 4 ? "NOT " + FilterText(depth + 1) : Comparison();
  }

 private:
  static constexpr int64_t kTime = 1'763'866'800;  // 2025-11-23T03:00:00Z

  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  template <size_t N>
  const char* Pick(const char* const (&stock)[N]) {
    return stock[Below(N)];
  }

  std::string Text() {
    static constexpr const char* kStock[] = {
        "",    "a",     "ab", "[a]", "?",    "a?b",        "[?]", "]", "%",  "_",
        "a'b", "\\x1b", "é",  "aé",  "日本", "/pods/a[1]", "A",   "-", "^a", "[^a]"};
    return Pick(kStock);
  }

  v1::Container Container() {
    v1::Container container;
    container.set_namespace_name(Text());
    container.set_pod_name(Text());
    container.set_container_name(Text());
    container.set_owner(Text());
    container.set_image_name(Text());
    container.set_qos_class(Text());
    return container;
  }

  std::string Quoted(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
      quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return quoted + "\"";
  }

  std::string Comparison() {
    static constexpr const char* kOrders[] = {"=", "!=", "<", "<=", ">", ">="};
    static constexpr const char* kTextFields[] = {"node",      "cluster", "cgroup",    "comm",
                                                  "workload",  "id",      "namespace", "pod",
                                                  "container", "owner",   "image",     "qos"};
    static constexpr const char* kKinds[] = {"oom",     "gap", "pressure", "superseded",
                                             "no_kill", "*a*", "o*"};
    switch (Below(6)) {
      case 0:
        return fmt::format("tgid {} {}", Pick(kOrders), Below(4));
      case 1:
        return fmt::format("time {} 2025-11-23T03:00:0{}Z", Pick(kOrders), Below(4));
      case 2:
        return fmt::format("kind = {}", Pick(kKinds));
      case 3:
        return fmt::format("{} : {}", Pick(kTextFields), Quoted(Text()));
      case 4:
        return fmt::format("{} {} {}", Pick(kTextFields), Pick(kOrders), Quoted(Text()));
      default: {
        const char* op = Below(2) == 0 ? "=" : "!=";
        const std::string pattern = Text() + "*" + (Below(2) == 0 ? Text() + "*" : "") + Text();
        return fmt::format("{} {} {}", Pick(kTextFields), op, Quoted(pattern));
      }
    }
  }

  std::mt19937 random_;
};

TEST(FilterAgreementTest, SqlAndMemorySelectTheSameEvents) {
  TempDir dir;
  auto store = EventStore::Open({.path = dir.File("events.db")}).value();
  Generator generator(20251123);
  std::vector<v1::Event> events;
  for (uint64_t i = 0; i < 200; ++i) {
    events.push_back(generator.Event(i));
  }
  ASSERT_EQ(store->Put(events, std::nullopt).value(), events.size());

  size_t selected_some = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string text = generator.FilterText();
    const auto filter = Filter::Parse(text);
    ASSERT_TRUE(filter.has_value()) << text << ": " << filter.error().message;

    std::set<std::string> in_memory;
    for (const v1::Event& event : events) {
      if (filter->Matches(AttributesOf(event))) {
        in_memory.insert(event.event_id());
      }
    }
    std::set<std::string> in_sql;
    const auto listed = store->List({.filter = *filter, .limit = 1000}).value();
    for (const StoredEvent& stored : listed) {
      in_sql.insert(stored.event.event_id());
    }

    ASSERT_EQ(in_sql, in_memory) << text;
    selected_some += !in_memory.empty() && in_memory.size() < events.size();
  }
  // Otherwise the generator makes filters that prove nothing.
  EXPECT_GT(selected_some, 700u);
}

}  // namespace
}  // namespace oombox
