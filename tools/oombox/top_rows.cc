#include "tools/oombox/top_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/filter_builder.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr size_t kKillsLookedAt = 1000;
constexpr double kNear = 80;  // per cent of the limit

ContainerKey KeyOf(const v1::NodeIdentity& node, const v1::Container& container) {
  return container.pod_name().empty()
             ? ContainerKey{node.cluster_name(), "", "", container.container_id()}
             : ContainerKey{node.cluster_name(), container.namespace_name(), container.pod_name(),
                            container.container_name()};
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

// Not of an older agent, nor of an answer that would have become too big, nor of a watch that
// looks at a part.
bool TellsAll(const v1::NodeReport& report) {
  return report.has_containers_total() &&
         report.containers_size() == static_cast<int>(report.containers_total()) &&
         !report.pressure_watch().cut();
}

bool IsNear(const v1::ContainerReport& report) {
  return report.state() > v1::PressureEvent::STATE_OK || TopShare(report).value_or(0) >= kNear;
}

// The report without what is not asked for.
void Reduce(const v1::NodeStatus& node, v1::NodeReport* report) {
  report->Clear();
  *report->mutable_node() = node.report().node();
  *report->mutable_report_time() = node.report().report_time();
  if (node.report().has_containers_total()) {
    report->set_containers_total(node.report().containers_total());
  }
  if (node.report().has_pressure_watch()) {
    *report->mutable_pressure_watch() = node.report().pressure_watch();
    report->mutable_pressure_watch()->clear_node();
  }
}

}  // namespace

Result<TopChoice> MakeTopChoice(const TopOptions& options, int64_t now_ns) {
  TopChoice choice;
  FilterOptions kills = options.filter;
  kills.kind = "oom";
  OOMBOX_TRY(choice.filter, BuildFilter(kills, now_ns));
  OOMBOX_TRY(choice.containers, Filter::Parse(choice.filter));
  OOMBOX_TRY(const std::string hosts,
             BuildFilter({.host = options.filter.host, .kind = "oom"}, now_ns));
  OOMBOX_TRY(choice.hosts, Filter::Parse(hosts));
  if (ChoosesByName(options.filter)) {
    OOMBOX_TRY(const std::string nameless, BuildFilter(NamelessOf(options.filter), now_ns));
    OOMBOX_TRY(choice.nameless, Filter::Parse(nameless));
  }
  return choice;
}

TopNodes ChooseNodes(const std::vector<v1::NodeStatus>& nodes, const TopChoice& choice) {
  TopNodes chosen;
  for (const v1::NodeStatus& node : nodes) {
    if (!choice.hosts.Matches(AttributesOf(node, {}))) {
      continue;
    }
    chosen.silent += IsHeardOf(node) ? 0 : 1;
    chosen.cut += IsHeardOf(node) && !TellsAll(node.report()) ? 1 : 0;
    v1::NodeStatus& left = chosen.nodes.emplace_back(node);
    v1::NodeReport& report = *left.mutable_report();
    Reduce(node, &report);
    for (const v1::ContainerReport& container : node.report().containers()) {
      if (choice.containers.Matches(AttributesOf(node, container))) {
        *report.add_containers() = container;
      } else if (choice.nameless && choice.nameless->Matches(AttributesOf(node, container))) {
        ++chosen.nameless;
      }
    }
    const v1::PressureWatch& watch = node.report().pressure_watch();
    if (watch.has_node() && choice.containers.Matches(AttributesOf(node, watch.node()))) {
      *report.mutable_pressure_watch()->mutable_node() = watch.node();
    }
  }
  return chosen;
}

Result<LastKills> ReadLastKills(const std::string& filter, EventSource* source) {
  OOMBOX_TRY(const EventList list, source->ListEvents({.filter = filter, .limit = kKillsLookedAt}));
  LastKills last{.times = {}, .complete = !list.more};
  for (const v1::Event& event : list.events) {  // newest first
    if (event.oom().has_container()) {
      last.times.emplace(KeyOf(event.node(), event.oom().container()), ToNs(event.event_time()));
    }
  }
  return last;
}

std::vector<TopRow> MakeRows(const std::vector<v1::NodeStatus>& nodes, const LastKills& last_kills,
                             TopSort sort) {
  std::vector<TopRow> rows;
  for (const v1::NodeStatus& node : nodes) {
    const v1::NodeReport& report = node.report();
    for (const v1::ContainerReport& container : report.containers()) {
      const auto last = last_kills.times.find(KeyOf(report.node(), container.container()));
      const bool found = last != last_kills.times.end();
      // The kills of a cgroup that is no container are not looked for.
      const bool named = !container.container().container_id().empty() ||
                         !container.container().pod_name().empty();
      rows.push_back({.node = report.node().node_name(),
                      .container = container,
                      .last_kill_ns = found ? std::optional(last->second) : std::nullopt,
                      .never_killed = named && !found && last_kills.complete});
    }
    if (report.pressure_watch().has_node() && IsNear(report.pressure_watch().node())) {
      rows.push_back({.node = report.node().node_name(),
                      .container = report.pressure_watch().node(),
                      .whole_node = true});
    }
  }
  SortRows(sort, rows);
  return rows;
}

std::string TopGaps(const TopNodes& chosen) {
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

std::string TopFooter(const TopNodes& chosen, int64_t now_ns) {
  uint64_t watched = 0;
  uint64_t total = 0;
  size_t without_watch = 0;
  size_t without_psi = 0;
  int64_t oldest_ns = now_ns;
  for (const v1::NodeStatus& node : chosen.nodes) {
    if (!IsHeardOf(node)) {
      continue;
    }
    const v1::NodeReport& report = node.report();
    oldest_ns = std::min(oldest_ns, report.has_report_time() ? ToNs(report.report_time()) : now_ns);
    watched += report.pressure_watch().cgroups_watched();
    total += report.pressure_watch().cgroups_total();
    without_watch += report.has_pressure_watch() ? 0 : 1;
    const auto& containers = report.containers();
    without_psi += report.has_pressure_watch() && !containers.empty() &&
                           std::none_of(containers.begin(), containers.end(),
                                        [](const v1::ContainerReport& container) {
                                          return container.pressure().has_some_avg10_percent();
                                        })
                       ? 1
                       : 0;
  }
  std::string out = fmt::format("{} of {} heard of", chosen.nodes.size() - chosen.silent,
                                FormatCount(chosen.nodes.size(), "node"));
  if (chosen.nodes.size() > chosen.silent) {
    out += fmt::format(", reports at most {} old", FormatAge(now_ns - oldest_ns));
  }
  if (total > 0) {
    out += fmt::format("; {} of {} watched", watched, FormatCount(total, "memory cgroup"));
  }
  if (without_watch > 0) {
    out += fmt::format("; growth and state not told by {}", FormatCount(without_watch, "node"));
  }
  if (without_psi > 0) {
    out += fmt::format("; no PSI on {}", FormatCount(without_psi, "node"));
  }
  return out + "\n";
}

}  // namespace oombox
