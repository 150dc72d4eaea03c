#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "agent/store/filter.h"
#include "tools/oombox/filter_builder.h"
#include "tools/oombox/render/json.h"
#include "tools/oombox/render/top_view.h"
#include "tools/oombox/render/units.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

namespace {

constexpr size_t kDefaultLines = 20;
constexpr size_t kKillsLookedAt = 1000;

// A container that is started again has another id and the same names.
using Name = std::tuple<std::string, std::string, std::string, std::string>;

Name NameOf(const v1::NodeIdentity& node, const v1::Container& container) {
  return container.pod_name().empty() ? Name{node.cluster_name(), "", "", container.container_id()}
                                      : Name{node.cluster_name(), container.namespace_name(),
                                             container.pod_name(), container.container_name()};
}

EventAttributes AttributesOf(const v1::NodeStatus& node, const v1::ContainerReport& report) {
  const v1::Container& container = report.container();
  EventAttributes attributes;
  attributes.kind = "oom";
  attributes.node = node.report().node().node_name();
  attributes.cluster = node.report().node().cluster_name();
  attributes.cgroup = report.cgroup_path();
  attributes.namespace_name = container.namespace_name();
  attributes.pod = container.pod_name();
  attributes.container = container.container_name();
  attributes.owner = container.owner();
  attributes.image = container.image_name();
  attributes.qos = container.qos_class();
  return attributes;
}

bool IsHeardOf(const v1::NodeStatus& node) {
  return node.coverage().state() != v1::Coverage::STATE_UNKNOWN &&
         node.coverage().state() != v1::Coverage::STATE_UNSPECIFIED;
}

// Not of an older agent, nor of an answer that would have become too big.
bool TellsAll(const v1::NodeReport& report) {
  return report.has_containers_total() &&
         report.containers_size() == static_cast<int>(report.containers_total());
}

struct Chosen {
  // Each with the containers that are asked for, and nothing else of its report.
  std::vector<v1::NodeStatus> nodes = {};
  size_t silent = 0;
  size_t cut = 0;       // heard of, but they do not tell all of their containers
  size_t nameless = 0;  // containers whose names nobody knows, where the choice is by name
};

Chosen Choose(const std::vector<v1::NodeStatus>& nodes, const Filter& host, const Filter& filter,
              const std::optional<Filter>& nameless) {
  Chosen chosen;
  for (const v1::NodeStatus& node : nodes) {
    if (!host.Matches(AttributesOf(node, {}))) {
      continue;
    }
    chosen.silent += IsHeardOf(node) ? 0 : 1;
    chosen.cut += IsHeardOf(node) && !TellsAll(node.report()) ? 1 : 0;
    v1::NodeStatus& left = chosen.nodes.emplace_back(node);
    v1::NodeReport& report = *left.mutable_report();
    report.Clear();
    *report.mutable_node() = node.report().node();
    *report.mutable_report_time() = node.report().report_time();
    if (node.report().has_containers_total()) {
      report.set_containers_total(node.report().containers_total());
    }
    for (const v1::ContainerReport& container : node.report().containers()) {
      if (filter.Matches(AttributesOf(node, container))) {
        *report.add_containers() = container;
      } else if (nameless && nameless->Matches(AttributesOf(node, container))) {
        ++chosen.nameless;
      }
    }
  }
  return chosen;
}

struct LastKills {
  std::map<Name, int64_t> times;
  bool complete = true;  // who is not in `times` was not killed, as far as is known here
};

Result<LastKills> ReadLastKills(const std::string& filter, EventSource* source) {
  OOMBOX_TRY(const EventList list, source->ListEvents({.filter = filter, .limit = kKillsLookedAt}));
  LastKills last{.complete = !list.more};
  for (const v1::Event& event : list.events) {  // newest first
    if (event.oom().has_container()) {
      last.times.emplace(NameOf(event.node(), event.oom().container()), ToNs(event.event_time()));
    }
  }
  return last;
}

std::vector<TopRow> Rows(const std::vector<v1::NodeStatus>& nodes, const LastKills& last_kills) {
  std::vector<TopRow> rows;
  for (const v1::NodeStatus& node : nodes) {
    for (const v1::ContainerReport& container : node.report().containers()) {
      const auto last = last_kills.times.find(NameOf(node.report().node(), container.container()));
      const bool found = last != last_kills.times.end();
      rows.push_back({.node = node.report().node().node_name(),
                      .container = container,
                      .last_kill_ns = found ? std::optional(last->second) : std::nullopt,
                      .never_killed = !found && last_kills.complete});
    }
  }
  SortByCloseness(rows);
  return rows;
}

// What the table does not show, a line each.
std::string Gaps(const Chosen& chosen) {
  const std::string nodes = FormatCount(chosen.nodes.size(), "node");
  std::string out;
  if (chosen.silent > 0) {
    out += fmt::format("! {} of {} not heard of lately: containers as of the last report\n",
                       chosen.silent, nodes);
  }
  if (chosen.cut > 0) {
    out += fmt::format("! {} of {} do not tell all of their containers: ask each with --local\n",
                       chosen.cut, nodes);
  }
  if (chosen.nameless > 0) {
    out += fmt::format("! {} without a name may be among them: no runtime tells their names\n",
                       FormatCount(chosen.nameless, "container"));
  }
  return out;
}

// In a format for programs; false: in none.
Result<bool> PrintForPrograms(const std::vector<v1::NodeStatus>& nodes,
                              const VerbContext& context) {
  if (context.format == OutputFormat::kJsonLines) {
    for (const v1::NodeStatus& node : nodes) {
      OOMBOX_TRY(const std::string line, ToJson(node, JsonLayout::kOneLine));
      context.out->Write(line);
    }
    return true;
  }
  if (context.format == OutputFormat::kJson || context.format == OutputFormat::kYaml) {
    v1::ListNodesResponse message;
    message.mutable_nodes()->Add(nodes.begin(), nodes.end());
    if (context.format == OutputFormat::kYaml) {
      context.out->Write(ToYaml(message));
      return true;
    }
    OOMBOX_TRY(const std::string text, ToJson(message, JsonLayout::kIndented));
    context.out->Write(text);
    return true;
  }
  return false;
}

}  // namespace

Result<ExitCode> RunTop(const TopOptions& options, const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("top", context.format, {F::kTable, F::kJson, F::kJsonLines, F::kYaml}));
  FilterOptions choice = options.filter;
  choice.kind = "oom";
  OOMBOX_TRY(const std::string text, BuildFilter(choice, context.now_ns));
  OOMBOX_TRY(const Filter filter, Filter::Parse(text));
  OOMBOX_TRY(const std::string host_text,
             BuildFilter({.host = options.filter.host, .kind = "oom"}, context.now_ns));
  OOMBOX_TRY(const Filter host, Filter::Parse(host_text));
  OOMBOX_TRY(const std::string nameless_text,
             BuildFilter(NamelessOf(options.filter), context.now_ns));
  std::optional<Filter> nameless;
  if (ChoosesByName(options.filter)) {
    OOMBOX_TRY(nameless, Filter::Parse(nameless_text));
  }
  OOMBOX_TRY(const std::vector<v1::NodeStatus> nodes, context.source->Nodes());
  const Chosen chosen = Choose(nodes, host, filter, nameless);
  const std::string gaps = Gaps(chosen);
  OOMBOX_TRY(const bool printed, PrintForPrograms(chosen.nodes, context));
  if (!printed) {
    OOMBOX_TRY(const LastKills last_kills, ReadLastKills(text, context.source));
    const std::vector<TopRow> rows = Rows(chosen.nodes, last_kills);
    context.out->Write(RenderTop(rows, {.now_ns = context.now_ns,
                                        .width = context.out->width(),
                                        .headers = context.headers,
                                        .nodes = chosen.nodes.size() > 1,
                                        .limit = options.all ? 0 : kDefaultLines,
                                        .paint = context.out->paint()}));
    context.out->Write(rows.empty() && gaps.empty() ? "no container\n" : gaps);
  }
  return gaps.empty() && !chosen.nodes.empty() ? kExitOk : kExitPartial;
}

}  // namespace oombox
