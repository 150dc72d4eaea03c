#include "tools/oombox/render/pressure_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/reference.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/pressure_text.h"
#include "tools/oombox/render/table.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

std::string WorkingSetText(const v1::PressureEvent& pressure) {
  if (!pressure.has_working_set_bytes()) {
    return "unknown";
  }
  const v1::CgroupLevel& cgroup = pressure.cgroup();
  const auto share =
      LimitShare(pressure.working_set_bytes(), {},
                 cgroup.has_max_bytes() ? std::optional(cgroup.max_bytes()) : std::nullopt);
  return BriefBytes(pressure.working_set_bytes()) + (share ? fmt::format(" {:.0f} %", *share) : "");
}

std::string Why(const v1::PressureEvent& pressure) {
  switch (pressure.cause()) {
    case v1::PressureEvent::CAUSE_REMOVED:
      return " removed";
    case v1::PressureEvent::CAUSE_LIMIT_CHANGED:
      return " new limit";
    case v1::PressureEvent::CAUSE_STALLS:
      return pressure.state() == v1::PressureEvent::STATE_OK ? "" : " stalls";
    default:
      return "";
  }
}

}  // namespace

std::string RenderPressureTable(const std::vector<v1::Event>& events, const ListView& view) {
  const bool one_node = std::all_of(events.begin(), events.end(), [&](const v1::Event& event) {
    return event.node().node_name() == events.front().node().node_name();
  });
  const bool with_node = view.width == 0 || !one_node;
  std::vector<TableColumn> columns = {{.name = "AGE", .right = true},
                                      {.name = "ID"},
                                      {.name = "STATE"},
                                      {.name = "WHO", .narrowest = 16},
                                      {.name = "USAGE/LIMIT", .right = true},
                                      {.name = "WORKING SET", .right = true, .expendable = 5},
                                      {.name = "UNRECLAIMABLE", .right = true, .expendable = 4},
                                      {.name = "STALLS", .right = true, .expendable = 2},
                                      {.name = "GROWTH", .right = true, .expendable = 1},
                                      {.name = "FULL IN", .right = true}};
  if (with_node) {
    columns.push_back({.name = "NODE", .narrowest = 10, .expendable = 3});
  }
  columns.push_back({.name = "KILL"});
  Table table(std::move(columns));
  std::vector<const v1::Event*> pointers;
  pointers.reserve(events.size());
  for (const v1::Event& event : events) {
    pointers.push_back(&event);
  }
  const std::vector<std::string> ids = ShortIds(pointers);
  for (size_t i = 0; i < events.size(); ++i) {
    const v1::Event& event = events[i];
    const v1::PressureEvent& pressure = event.pressure();
    std::vector<TableCell> row = {
        {FormatAge(view.now_ns - ToNs(event.event_time()))},
        {ids[i] + (event.replayed() ? " (rec)" : ""), Style::kBold},
        {StateName(pressure.state()) + Why(pressure), StateStyle(pressure.state())},
        {EventSubject(event)},
        {UsageOverLimit(pressure.cgroup())},
        {WorkingSetText(pressure)},
        {pressure.has_unreclaimable_bytes() ? BriefBytes(pressure.unreclaimable_bytes())
                                            : "unknown"},
        {StallText(pressure.pressure())},
        {GrowthText(TrendOf(pressure))},
        {FullInText(TrendOf(pressure))}};
    if (with_node) {
      row.push_back({event.node().node_name()});
    }
    const std::string& kill = pressure.kill_event_id();
    row.push_back({kill.empty() ? "-" : kill.substr(0, 6), Style::kRed});
    table.Add(std::move(row));
  }
  const TableOptions options{view.width, view.headers, view.paint};
  std::string out = table.Render(options);
  if (!with_node) {
    out += "all on node " + events.front().node().node_name() + "\n";
  }
  return out + table.LeftOut(options);
}

}  // namespace oombox
