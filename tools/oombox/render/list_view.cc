#include "tools/oombox/render/list_view.h"

#include <fmt/format.h>
#include <algorithm>

#include "tools/oombox/moment.h"
#include "tools/oombox/reference.h"
#include "tools/oombox/render/coverage.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/pressure_list.h"
#include "tools/oombox/render/pressure_text.h"
#include "tools/oombox/render/table.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr const char* kNewerVersion = "an event of a newer version; upgrade this oombox";

std::string KillsText(const EventGroup& group, int64_t now_ns) {
  return group.kills == 1 ? "1"
                          : fmt::format("×{}/{}", group.kills, FormatAge(now_ns - group.oldest_ns));
}

std::string VictimText(const v1::OomEvent& oom) {
  if (oom.victims().empty()) {
    return "unknown";
  }
  std::string text =
      VictimName(oom.victims(0)) + " " + MemoryText(ResidentMemory(oom.victims(0).memory()));
  if (oom.victims_total() > 1) {
    text += fmt::format(" +{}", oom.victims_total() - 1);
  }
  return text;
}

std::string GapLine(const v1::Event& event, const std::string& age, const std::string& id,
                    int64_t now_ns) {
  const v1::GapEvent& gap = event.gap();
  std::string line =
      fmt::format("{}  {}  GAP on {}: {}", PadLeft(age, 3), id, EventSubject(event), GapLoss(gap));
  if (gap.has_start_time() && gap.has_end_time()) {
    line += fmt::format(" between {} and {} ago", FormatAge(now_ns - ToNs(gap.start_time())),
                        FormatAge(now_ns - ToNs(gap.end_time())));
  }
  return line + ": " + GapCause(gap.cause());
}

std::string PressureLine(const v1::Event& event, const std::string& age, const std::string& id) {
  return fmt::format("{}  {}  PRESSURE {}  {}  {}", PadLeft(age, 3), id,
                     StateName(event.pressure().state()), EventSubject(event),
                     PressureWords(event.pressure()));
}

std::string NoKillLine(const v1::Event& event, const std::string& age, const std::string& id) {
  return fmt::format("{}  {}  {}  {}", PadLeft(age, 3), id, EventSubject(event),
                     NoKillText(event.no_kill()));
}

bool AnyReplayed(const EventList& list) {
  return std::any_of(list.events.begin(), list.events.end(),
                     [](const v1::Event& event) { return event.replayed(); });
}

// What a person must know of the whole list, below it.
std::string Footer(const EventList& list, const ListView& view) {
  std::string out;
  if (std::any_of(list.events.begin(), list.events.end(), FromKernelLog)) {
    out += view.paint(Style::kYellow,
                      "lines marked (log) were not captured: put together from the kernel log, "
                      "with much missing") +
           "\n";
  }
  if (AnyReplayed(list)) {
    out += view.paint(Style::kYellow,
                      "RECORDING: lines marked (rec) are replayed, they did not happen now") +
           "\n";
  }
  if (list.more) {
    out += fmt::format("the newest {} events are shown; there are more: --last N or --since\n",
                       list.events.size());
  }
  if (list.events.empty()) {
    const std::string none = fmt::format("no {}{}", view.what, view.chosen ? " match" : "");
    out += view.since_ns != 0 ? fmt::format("{} since {}\n", none, FormatDateTime(view.since_ns))
                              : fmt::format("{}{}\n", none, view.chosen ? "" : " recorded");
  }
  return out + view.paint(IsWhole(list) ? Style::kDim : Style::kRed, CoverageLine(list)) + "\n";
}

struct Line {
  const EventGroup* group;
  std::string age;
  std::string id;
};

std::vector<Line> Lines(const std::vector<EventGroup>& groups, int64_t now_ns) {
  std::vector<const v1::Event*> events;
  events.reserve(groups.size());
  for (const EventGroup& group : groups) {
    events.push_back(group.newest);
  }
  const std::vector<std::string> ids = ShortIds(events);
  std::vector<Line> lines;
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string mark = std::string(events[i]->replayed() ? " (rec)" : "") +
                             (FromKernelLog(*events[i]) ? " (log)" : "");
    lines.push_back({&groups[i], FormatAge(now_ns - ToNs(events[i]->event_time())), ids[i] + mark});
  }
  return lines;
}

// The node that every event is on, when there are events and it is one.
std::string OnlyNode(const EventList& list) {
  if (list.events.empty()) {
    return "";
  }
  const std::string& first = list.events.front().node().node_name();
  const bool same =
      std::all_of(list.events.begin(), list.events.end(),
                  [&](const v1::Event& event) { return event.node().node_name() == first; });
  return same ? first : "";
}

std::vector<TableCell> KillRow(const Line& line, const ListView& view, bool with_node) {
  const v1::Event& event = *line.group->newest;
  std::vector<TableCell> row = {{line.age},
                                {line.id, Style::kBold},
                                {EventSubject(event)},
                                {LimitText(event.oom())},
                                {VictimText(event.oom())},
                                {CauseText(event.oom())}};
  if (with_node) {
    row.push_back({event.node().node_name()});
  }
  row.push_back(
      {KillsText(*line.group, view.now_ns), line.group->kills > 1 ? Style::kBold : Style::kPlain});
  return row;
}

}  // namespace

std::string RenderListTable(const EventList& list, const ListView& view) {
  const bool pressure = !list.events.empty() &&
                        std::all_of(list.events.begin(), list.events.end(),
                                    [](const v1::Event& event) { return event.has_pressure(); });
  if (pressure) {
    return RenderPressureTable(list.events, view) + Footer(list, view);
  }
  // A screen has no room to say the same on every line; a pipe gets all columns, always.
  const std::string node = view.width == 0 ? "" : OnlyNode(list);
  std::vector<TableColumn> columns = {{"AGE", true},           {"ID"},
                                      {"WORKLOAD", false, 16}, {"LIMIT", true},
                                      {"VICTIM", false, 20},   {"CAUSE"}};
  if (node.empty()) {
    columns.push_back({"NODE", false, 10});
  }
  columns.push_back({"KILLS"});
  Table table(std::move(columns));
  const std::vector<EventGroup> groups = FoldEvents(list.events, view.folding);
  for (const Line& line : Lines(groups, view.now_ns)) {
    const v1::Event& event = *line.group->newest;
    if (event.has_oom()) {
      table.Add(KillRow(line, view, node.empty()));
    } else if (event.has_gap()) {
      table.Add({{GapLine(event, line.age, line.id, view.now_ns), Style::kRed}});
    } else if (event.has_no_kill()) {
      table.Add({{NoKillLine(event, line.age, line.id), Style::kYellow}});
    } else if (event.has_pressure()) {
      table.Add({{PressureLine(event, line.age, line.id), Style::kYellow}});
    } else {
      table.Add({{fmt::format("{}  {}  {}", PadLeft(line.age, 3), line.id, kNewerVersion)}});
    }
  }
  std::string out;
  if (!table.empty()) {
    out = table.Render({view.width, view.headers, view.paint});
  }
  if (!node.empty()) {
    out += "all on node " + node + "\n";
  }
  return out + Footer(list, view);
}

std::string RenderListCompact(const EventList& list, const ListView& view) {
  std::string out;
  const std::vector<EventGroup> groups = FoldEvents(list.events, view.folding);
  for (const Line& line : Lines(groups, view.now_ns)) {
    const v1::Event& event = *line.group->newest;
    if (event.has_gap()) {
      out += view.paint(Style::kRed, GapLine(event, line.age, line.id, view.now_ns));
    } else if (event.has_no_kill()) {
      out += NoKillLine(event, line.age, line.id);
    } else if (event.has_pressure()) {
      out += PressureLine(event, line.age, line.id);
    } else if (event.has_oom()) {
      const bool node_limit = event.oom().scope() == v1::OOM_SCOPE_NODE;
      out += fmt::format("{}  {}  {}  {}  {}{}  {}", PadLeft(line.age, 3), line.id,
                         EventSubject(event), VictimText(event.oom()),
                         node_limit ? "" : LimitText(event.oom()) + " ", CauseText(event.oom()),
                         KillsText(*line.group, view.now_ns));
    } else {
      out += fmt::format("{}  {}  {}", PadLeft(line.age, 3), line.id, kNewerVersion);
    }
    out += "\n";
  }
  return out + Footer(list, view);
}

}  // namespace oombox
