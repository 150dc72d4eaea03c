#include "tools/oombox/render/status_pressure.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

std::string Counts(uint64_t critical, uint64_t warning) {
  std::string text = critical > 0 ? fmt::format("{} critical", critical) : "";
  if (warning > 0) {
    text += fmt::format("{}{} warning", text.empty() ? "" : ", ", warning);
  }
  return text.empty() ? "ok" : text;
}

const char* WhoseReclaim(v1::ReclaimStalls::Attribution attribution) {
  switch (attribution) {
    case v1::ReclaimStalls::ATTRIBUTION_TARGET:
      return " of the cgroup reclaimed from";
    case v1::ReclaimStalls::ATTRIBUTION_TASK:
      return " of the reclaiming task's cgroup";
    default:
      return "";
  }
}

}  // namespace

TableCell PressureCell(const v1::NodeReport& report) {
  if (!report.has_pressure_watch()) {
    return {"-"};
  }
  const v1::PressureWatch& watch = report.pressure_watch();
  const Style style = watch.critical() > 0  ? Style::kRed
                      : watch.warning() > 0 ? Style::kYellow
                                            : Style::kPlain;
  return {Counts(watch.critical(), watch.warning()), style};
}

std::vector<std::string> MissingOfWatch(const v1::NodeReport& report) {
  const v1::PressureWatch& watch = report.pressure_watch();
  std::vector<std::string> missing;
  if (watch.cut()) {
    missing.push_back(fmt::format(
        "more memory cgroups than are looked at ({}): the rest has no pressure and no curve",
        watch.cgroups_total()));
  }
  if (watch.curves_refused() > 0) {
    missing.push_back(fmt::format("{} without a memory curve: no room (curve-max-bytes)",
                                  FormatCount(watch.curves_refused(), "cgroup")));
  }
  if (watch.reclaim().disarmed()) {
    missing.emplace_back("reclaim is not measured for a minute: it took more than its budget");
  }
  if (watch.damaged_files() > 0) {
    missing.push_back(fmt::format("{} of curves damaged and begun anew",
                                  FormatCount(watch.damaged_files(), "file")));
  }
  if (watch.stretch() > 1) {
    missing.push_back(fmt::format(
        "what is far from its limit is read {} times less often{}: reading took more than its "
        "budget",
        watch.stretch() > 16 ? watch.stretch() / 4 : std::min(watch.stretch(), 3U),
        watch.stretch() >= 64 ? ", and what is near, too" : ""));
  }
  if (watch.events_lost() > 0) {
    missing.push_back(fmt::format("{} of memory pressure not stored: the store did not take them",
                                  FormatCount(watch.events_lost(), "change")));
  }
  return missing;
}

std::string WatchLineOf(const v1::NodeReport& report) {
  if (!report.has_pressure_watch()) {
    return "";
  }
  const v1::PressureWatch& watch = report.pressure_watch();
  std::string line = fmt::format("pressure: {} of {} watched, {} kept", watch.cgroups_watched(),
                                 FormatCount(watch.cgroups_total(), "memory cgroup"),
                                 FormatCount(watch.curves(), "curve"));
  if (watch.readings() > 0 && watch.has_reading_time()) {
    line += fmt::format(", {:.1f} ms a reading", static_cast<double>(ToNs(watch.reading_time())) /
                                                     1e6 / static_cast<double>(watch.readings()));
  }
  if (watch.damped() > 0) {
    line += fmt::format(", {} held back (to and fro)", FormatCount(watch.damped(), "change"));
  }
  if (!watch.has_reclaim()) {
    return line + "; reclaim not measured";
  }
  line += fmt::format("; {}{}", FormatCount(watch.reclaim().reclaims(), "reclaim"),
                      WhoseReclaim(watch.reclaim().attribution()));
  if (watch.reclaim().lost() > 0) {
    line += fmt::format(", {} more not timed", watch.reclaim().lost());
  }
  return line;
}

void PressureTotals::Add(const v1::NodeReport& report) {
  const v1::PressureWatch& watch = report.pressure_watch();
  critical += watch.critical();
  warning += watch.warning();
  nodes += watch.critical() + watch.warning() > 0 ? 1 : 0;
}

std::string PressureTotals::Line() const {
  return nodes == 0 ? ""
                    : fmt::format("memory pressure now: {} on {} (oombox top)\n",
                                  Counts(critical, warning), FormatCount(nodes, "node"));
}

}  // namespace oombox
