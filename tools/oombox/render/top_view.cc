#include "tools/oombox/render/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/oombox/render/pressure_text.h"
#include "tools/oombox/render/table.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr size_t kShortId = 12;

struct Names {
  std::string space;
  std::string pod;
  std::string container;
};

// Where nobody asks the runtime there are ids only; what is no container has its path.
Names NamesOf(const TopRow& row) {
  if (row.whole_node) {
    return {"-", "the node itself", "-"};
  }
  const v1::Container& container = row.container.container();
  const std::string space = container.namespace_name().empty() ? "-" : container.namespace_name();
  const std::string name = container.container_name().empty()
                               ? container.container_id().substr(0, kShortId)
                               : container.container_name();
  if (!container.pod_name().empty()) {
    return {space, container.pod_name(), name.empty() ? "-" : name};
  }
  if (!container.pod_uid().empty() && !name.empty()) {
    return {space, "uid " + container.pod_uid(), name};
  }
  return {space, row.container.cgroup_path().empty() ? "-" : row.container.cgroup_path(),
          name.empty() ? "-" : name};
}

bool IsContainer(const v1::Container& container) {
  return !container.container_id().empty() || !container.pod_name().empty();
}

Style ShareStyle(std::optional<double> share) {
  return share.value_or(0) >= 90   ? Style::kRed
         : share.value_or(0) >= 80 ? Style::kYellow
                                   : Style::kPlain;
}

// "critical"; of an agent that does not tell, "-".
std::string StateText(const v1::ContainerReport& report) {
  return report.state() == v1::PressureEvent::STATE_UNSPECIFIED ? "-" : StateName(report.state());
}

std::string BytesOr(bool known, uint64_t bytes, const char* otherwise) {
  return known ? FormatBytes(bytes) : otherwise;
}

std::vector<TableCell> Cells(const TopRow& row, const TopView& view) {
  const v1::ContainerReport& at = row.container;
  const std::optional<double> share = TopShare(at);
  const Names names = NamesOf(row);
  std::vector<TableCell> cells = {
      {names.space},
      {names.pod, Style::kBold},
      {names.container},
      {BytesOr(at.has_usage_bytes(), at.usage_bytes(), "unknown")},
      {BytesOr(at.has_working_set_bytes(), at.working_set_bytes(), "unknown")},
      {BytesOr(at.has_limit_bytes(), at.limit_bytes(), "none")},
      {share ? fmt::format("{:.0f} %", *share) : "-", ShareStyle(share)},
      {GrowthText(at.trend())},
      {FullInText(at.trend())},
      {StateText(at), StateStyle(at.state())},
      {StallText(at.pressure())},
      {at.has_restarts()             ? std::to_string(at.restarts())
       : IsContainer(at.container()) ? "unknown"
                                     : "-"},
      {row.last_kill_ns   ? FormatAge(view.now_ns - *row.last_kill_ns)
       : row.never_killed ? "-"
                          : "unknown"}};
  if (view.nodes) {
    cells.push_back({row.node});
  }
  return cells;
}

// The higher the further up; nothing comes last.
std::optional<double> Rank(TopSort sort, const v1::ContainerReport& report) {
  const v1::MemoryTrend& trend = report.trend();
  switch (sort) {
    case TopSort::kCloseness:
      return TopShare(report);
    case TopSort::kGrowth:
      return trend.has_growth_bytes_per_second() && std::isfinite(trend.growth_bytes_per_second())
                 ? std::optional(trend.growth_bytes_per_second())
                 : std::nullopt;
    case TopSort::kFull:
      return trend.has_time_to_limit()
                 ? std::optional(-static_cast<double>(ToNs(trend.time_to_limit())))
                 : std::nullopt;
    case TopSort::kUsage:
      break;
  }
  return std::nullopt;
}

int Alarm(TopSort sort, const v1::ContainerReport& report) {
  if (sort != TopSort::kCloseness) {
    return 0;
  }
  return report.state() == v1::PressureEvent::STATE_CRITICAL  ? 2
         : report.state() == v1::PressureEvent::STATE_WARNING ? 1
                                                              : 0;
}

}  // namespace

std::optional<double> TopShare(const v1::ContainerReport& report) {
  const auto known = [](bool has, uint64_t value) {
    return has ? std::optional(value) : std::nullopt;
  };
  return LimitShare(known(report.has_working_set_bytes(), report.working_set_bytes()),
                    known(report.has_usage_bytes(), report.usage_bytes()),
                    known(report.has_limit_bytes(), report.limit_bytes()));
}

// Whoever is in alarm comes first: it may wait for memory far from its limit, or have none.
void SortRows(TopSort sort, std::vector<TopRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [sort](const TopRow& a, const TopRow& b) {
    const int alarm_a = Alarm(sort, a.container);
    const int alarm_b = Alarm(sort, b.container);
    if (alarm_a != alarm_b) {
      return alarm_a > alarm_b;
    }
    const std::optional<double> rank_a = Rank(sort, a.container);
    const std::optional<double> rank_b = Rank(sort, b.container);
    return rank_a != rank_b ? rank_a > rank_b
                            : a.container.usage_bytes() > b.container.usage_bytes();
  });
}

std::string RenderTop(const std::vector<TopRow>& rows, const TopView& view) {
  std::vector<TableColumn> columns = {{.name = "NAMESPACE", .narrowest = 8, .expendable = 3},
                                      {.name = "POD", .narrowest = 16},
                                      {.name = "CONTAINER", .narrowest = 8, .expendable = 1},
                                      {.name = "USAGE", .right = true, .expendable = 5},
                                      {.name = "WORKSET", .right = true},
                                      {.name = "LIMIT", .right = true},
                                      {.name = "%", .right = true},
                                      {.name = "GROWTH", .right = true},
                                      {.name = "FULL IN", .right = true},
                                      {.name = "PRESSURE"},
                                      {.name = "STALLS", .expendable = 4},
                                      {.name = "RESTARTS", .right = true, .expendable = 7},
                                      {.name = "LAST KILL", .right = true, .expendable = 6}};
  if (view.nodes) {
    columns.push_back({.name = "NODE", .narrowest = 8, .expendable = 2});
  }
  Table table(std::move(columns));
  const size_t shown = view.limit == 0 ? rows.size() : std::min(view.limit, rows.size());
  for (size_t i = 0; i < shown; ++i) {
    table.Add(Cells(rows[i], view));
  }
  const TableOptions options{.width = view.width, .headers = view.headers, .paint = view.paint};
  std::string out = table.Render(options);
  if (shown < rows.size()) {
    out += view.paint(Style::kDim, fmt::format("and {} more: {}", rows.size() - shown, view.more)) +
           "\n";
  }
  return out + table.LeftOut(options);
}

}  // namespace oombox
