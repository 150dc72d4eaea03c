#include "tools/oombox/render/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/oombox/render/table.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr size_t kShortId = 12;

// Share of the limit; less than nothing without one.
double Share(const TopRow& row) {
  const v1::ContainerReport& at = row.container;
  return at.has_limit_bytes() && at.limit_bytes() > 0
             ? static_cast<double>(at.usage_bytes()) / static_cast<double>(at.limit_bytes())
             : -1;
}

// Where nobody asks the runtime there are ids only.
std::string PodName(const v1::Container& container) {
  if (!container.pod_name().empty()) {
    return container.pod_name();
  }
  return container.pod_uid().empty() ? "-" : "uid " + container.pod_uid();
}

std::string ContainerName(const v1::Container& container) {
  return container.container_name().empty() ? container.container_id().substr(0, kShortId)
                                            : container.container_name();
}

std::vector<TableCell> Cells(const TopRow& row, const TopView& view) {
  const v1::ContainerReport& at = row.container;
  const double share = Share(row);
  const Style style = share >= 0.9 ? Style::kRed : share >= 0.8 ? Style::kYellow : Style::kPlain;
  std::vector<TableCell> cells = {
      {at.container().namespace_name().empty() ? "-" : at.container().namespace_name()},
      {PodName(at.container()), Style::kBold},
      {ContainerName(at.container())},
      {at.has_usage_bytes() ? FormatBytes(at.usage_bytes()) : "unknown"},
      {at.has_limit_bytes() ? FormatBytes(at.limit_bytes()) : "none"},
      {share < 0 ? "-" : fmt::format("{:.0f} %", 100 * share), style},
      {at.has_restarts() ? std::to_string(at.restarts()) : "unknown"},
      {row.last_kill_ns   ? FormatAge(view.now_ns - *row.last_kill_ns)
       : row.never_killed ? "-"
                          : "unknown"}};
  if (view.nodes) {
    cells.push_back({row.node});
  }
  return cells;
}

}  // namespace

void SortByCloseness(std::vector<TopRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const TopRow& a, const TopRow& b) {
    const double share_a = Share(a);
    const double share_b = Share(b);
    return share_a != share_b ? share_a > share_b
                              : a.container.usage_bytes() > b.container.usage_bytes();
  });
}

std::string RenderTop(const std::vector<TopRow>& rows, const TopView& view) {
  std::vector<TableColumn> columns = {
      {.name = "NAMESPACE", .narrowest = 8}, {.name = "POD", .narrowest = 16},
      {.name = "CONTAINER", .narrowest = 8}, {.name = "USAGE", .right = true},
      {.name = "LIMIT", .right = true},      {.name = "%", .right = true},
      {.name = "RESTARTS", .right = true},   {.name = "LAST KILL", .right = true}};
  if (view.nodes) {
    columns.push_back({.name = "NODE", .narrowest = 8});
  }
  Table table(std::move(columns));
  const size_t shown = view.limit == 0 ? rows.size() : std::min(view.limit, rows.size());
  for (size_t i = 0; i < shown; ++i) {
    table.Add(Cells(rows[i], view));
  }
  std::string out =
      table.Render({.width = view.width, .headers = view.headers, .paint = view.paint});
  if (shown < rows.size()) {
    out += view.paint(Style::kDim, fmt::format("and {} more: --all", rows.size() - shown)) + "\n";
  }
  return out;
}

}  // namespace oombox
