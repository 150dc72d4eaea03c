#include "tools/oombox/render/curve_view.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "tools/oombox/reference.h"
#include "tools/oombox/render/ascii.h"
#include "tools/oombox/render/curve_facts.h"
#include "tools/oombox/render/curve_panel.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/page.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

using Points = std::vector<const v1::CurvePoint*>;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kFine = 120 * kSecond;
constexpr size_t kRowsOfOne = 12;
constexpr size_t kRowsOfTwo = 8;
constexpr int kMaxGaps = 8;

// Times come from others: any distance between two must be bearable.
int64_t Between(int64_t from_ns, int64_t to_ns) {
  int64_t distance = 0;
  return __builtin_sub_overflow(to_ns, from_ns, &distance) ? kFine * 1000 : distance;
}

void AddHeader(const v1::Event& event, const Points& points, const CurveView& view, Page* page) {
  const int64_t time_ns = ToNs(event.event_time());
  std::string line = fmt::format("CURVE {}  {} ({} ago)", ShortId(event), FormatDateTime(time_ns),
                                 FormatAgeLong(view.now_ns - time_ns));
  if (!event.node().node_name().empty()) {
    line += "  node " + event.node().node_name();
  }
  page->Line(line, Style::kBold);
  const v1::MemoryCurve& curve = event.oom().curve();
  const bool node = !curve.has_cgroup_id() && curve.cgroup_path().empty();
  const std::string whose = node ? "the node" : EventSubject(event);
  page->Line("memory of " + whose);
  // Beside the subject it would be cut in its middle on most screens.
  if (!node && !curve.cgroup_path().empty() && whose != curve.cgroup_path()) {
    page->Line("cgroup " + curve.cgroup_path());
  }
  const std::string when =
      points.size() == 1
          ? "at " + FormatDateTime(ToNs(points.front()->time()))
          : fmt::format("from {} to {}", FormatDateTime(ToNs(points.front()->time())),
                        FormatClock(ToNs(points.back()->time())));
  page->Line(fmt::format(
      "{}  {} {}",
      curve.has_limit_bytes() ? "limit " + FormatBytes(curve.limit_bytes()) : "no limit",
      FormatCount(points.size(), "reading"), when));
}

// The moment of the kill on the clock of the readings; that of the last reading where the two
// clocks cannot belong together.
int64_t KillTime(const v1::Event& event, const Points& points) {
  constexpr int64_t kBelievable = 600 * kSecond;
  const int64_t last_ns = ToNs(points.back()->time());
  const int64_t time_ns = ToNs(event.event_time());
  const bool after = time_ns > last_ns && points.back()->provenance() != v1::PROVENANCE_AT_KILL;
  return after && Between(last_ns, time_ns) < kBelievable ? time_ns : last_ns;
}

// "the hour before the kill", "the last 2 min".
std::string SpanTitle(double span_ns) {
  constexpr double kHour = 3600.0 * kSecond;
  const bool hour = span_ns > 0.9 * kHour && span_ns < 1.1 * kHour;
  return hour ? "the hour before the kill"
              : fmt::format("the {} before the kill", SpanWords(span_ns));
}

// "the last 2 min: 120 readings, as a rule one every 1.0 s", of those from `start_ns` on and before
// `end_ns`, as much of it as fits.
std::string PanelTitle(const std::string& what, const Points& points, int64_t start_ns,
                       int64_t end_ns, const std::string& until, size_t width) {
  std::vector<double> steps;
  size_t count = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const int64_t time_ns = ToNs(points[i]->time());
    if (time_ns < start_ns || time_ns >= end_ns) {
      continue;
    }
    if (++count > 1) {
      steps.push_back(static_cast<double>(time_ns) -
                      static_cast<double>(ToNs(points[i - 1]->time())));
    }
  }
  const std::string counted = fmt::format("{}: {}{}", what, FormatCount(count, "reading"), until);
  if (steps.empty()) {
    return ElideMiddle(counted, width);
  }
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  const std::string density = "as a rule one every " + SpanWords(*middle);
  const std::string whole = counted + ", " + density;
  return TextWidth(whole) <= width ? whole : ElideMiddle(what + ": " + density, width);
}

void AddPanels(const v1::Event& event, const Points& points, const CurveView& view, size_t width,
               std::string* out) {
  CurvePanel panel;
  panel.curve = &event.oom().curve();
  panel.points = &points;
  panel.kill_ns = KillTime(event, points);
  panel.start_ns = ToNs(points.front()->time());
  panel.end_ns = panel.kill_ns;
  panel.width = width;
  panel.style = view.style;
  panel.paint = view.paint;
  const int64_t fine_ns = std::max<int64_t>(panel.end_ns, kFine) - kFine;
  const bool two = Between(panel.start_ns, panel.end_ns) > kFine + kFine / 4 &&
                   std::count_if(points.begin(), points.end(), [&](const auto* point) {
                     return ToNs(point->time()) >= fine_ns;
                   }) > 2;
  panel.rows = two ? kRowsOfTwo : kRowsOfOne;
  const double span = static_cast<double>(panel.end_ns) - static_cast<double>(panel.start_ns);
  constexpr int64_t kEver = std::numeric_limits<int64_t>::max();
  // Most readings are of the last two minutes: together the whole would seem as dense as these.
  const std::string until = two ? " until " + FormatClock(fine_ns).substr(0, 8) : "";
  const std::string whole = points.size() == 1 ? "one reading"
                                               : PanelTitle(SpanTitle(span), points, panel.start_ns,
                                                            two ? fine_ns : kEver, until, width);
  *out += "\n" + view.paint(Style::kBold, whole) + "\n" + DrawPanel(panel);
  if (two) {
    panel.start_ns = fine_ns;
    *out +=
        "\n" +
        view.paint(Style::kBold, PanelTitle("the last 2 min", points, fine_ns, kEver, "", width)) +
        "\n" + DrawPanel(panel);
  }
}

// What the readings tell; what most of them do not is named once for all, not with each.
struct Told {
  std::vector<std::string> items = {};
  std::vector<std::string> earlier = {};  // names of those that the last reading does not have
  std::vector<std::string> unknown = {};  // names of those that none has
};

// "anon 612 MiB → 1.9 GiB": the first that is known, and the last.
template <typename Format>
void AddChange(const Points& points, const char* name, bool (v1::CurvePoint::*has)() const,
               const Format& format, Told* told) {
  const auto known = [has](const v1::CurvePoint* point) { return (point->*has)(); };
  const auto first = std::find_if(points.begin(), points.end(), known);
  if (first == points.end()) {
    told->unknown.emplace_back(name);
    return;
  }
  const v1::CurvePoint& last = **std::find_if(points.rbegin(), points.rend(), known);
  const std::string from = format(**first);
  const std::string to = format(last);
  told->items.push_back(from == to ? fmt::format("{} {}", name, to)
                                   : fmt::format("{} {} → {}", name, from, to));
  if (&last != points.back()) {
    told->earlier.emplace_back(name);
  }
}

// "file, sock, PSI".
std::string NamesOf(std::vector<std::string> names, const std::vector<std::string>& of_psi) {
  if (of_psi.size() == 1) {
    names.push_back("PSI " + of_psi.front());
  } else if (!of_psi.empty()) {
    names.emplace_back("PSI");
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void AddGrowth(const Points& points, Page* page) {
  const auto growth = GrowthOf(points);
  if (!growth) {
    page->Text("GROWTH", "unknown: no reading has the usage", 1);
    return;
  }
  if (growth->span_ns <= 0) {
    page->Text("GROWTH", "unknown: one reading, of " + FormatBytes(growth->last_bytes), 1);
    return;
  }
  std::string text =
      fmt::format("{} → {}", FormatBytes(growth->first_bytes), FormatBytes(growth->last_bytes));
  if (const std::string words = GrowthWords(*growth); !words.empty()) {
    text += ", " + words;
  }
  if (growth->last_minute_bytes) {
    text += "; last 60 s " + SignedBytes(*growth->last_minute_bytes);
  }
  page->Text("GROWTH", text, 2);
}

void AddComposition(const Points& points, Page* page) {
  using P = v1::CurvePoint;
  const auto bytes = [](uint64_t (P::*get)() const) {
    return [get](const P& point) { return FormatBytes((point.*get)()); };
  };
  const auto percent = [](double (P::*get)() const) {
    return [get](const P& point) { return fmt::format("{:.0f} %", (point.*get)()); };
  };
  Told told;
  AddChange(points, "anon", &P::has_anon_bytes, bytes(&P::anon_bytes), &told);
  AddChange(points, "file", &P::has_file_bytes, bytes(&P::file_bytes), &told);
  AddChange(points, "shmem", &P::has_shmem_bytes, bytes(&P::shmem_bytes), &told);
  AddChange(points, "kernel", &P::has_kernel_bytes, bytes(&P::kernel_bytes), &told);
  AddChange(points, "sock", &P::has_sock_bytes, bytes(&P::sock_bytes), &told);
  AddChange(
      points, "tasks", &P::has_tasks, [](const P& point) { return std::to_string(point.tasks()); },
      &told);
  Told psi;
  AddChange(points, "some", &P::has_some_avg10_percent, percent(&P::some_avg10_percent), &psi);
  AddChange(points, "full", &P::has_full_avg10_percent, percent(&P::full_avg10_percent), &psi);
  if (!told.items.empty()) {
    page->Items("MADE OF", told.items, 4);
  }
  if (!psi.items.empty()) {
    page->Items("PSI", psi.items, 2);
  }
  if (const std::string names = NamesOf(told.earlier, psi.earlier); !names.empty()) {
    page->Text("EARLIER", names + ": as last read before the kill", 2);
  }
  if (const std::string names = NamesOf(told.unknown, psi.unknown); !names.empty()) {
    page->Text("UNKNOWN", names, 2);
  }
}

void AddGaps(const v1::MemoryCurve& curve, Page* page) {
  const char* label = "GAPS";
  int shown = 0;
  for (const v1::CurveGap& gap : curve.gaps()) {
    if (shown++ == kMaxGaps) {
      page->Text("", fmt::format("… and {} more (-o table)", curve.gaps_size() - kMaxGaps), 1);
      return;
    }
    const int64_t from = ToNs(gap.start_time());
    const int64_t to = ToNs(gap.end_time());
    page->Text(label,
               fmt::format("{} – {} ({}): {}", FormatClock(from).substr(0, 8),
                           FormatClock(to).substr(0, 8),
                           SpanWords(static_cast<double>(to) - static_cast<double>(from)),
                           gap.reason().empty() ? "no reason given" : gap.reason()),
               2);
    label = "";
  }
}

bool TellsSpikes(const Points& points) {
  return std::any_of(points.begin(), points.end(),
                     [](const v1::CurvePoint* point) { return point->has_usage_max_bytes(); });
}

bool HasSpikes(const Points& points) {
  return std::any_of(points.begin(), points.end(), [](const v1::CurvePoint* point) {
    return point->usage_max_bytes() > point->usage_bytes();
  });
}

// What a point is, and what the end is made of.
void AddPoints(const v1::Event& event, const Points& points, const CurveView& view, Page* page) {
  const bool node =
      !event.oom().curve().has_cgroup_id() && event.oom().curve().cgroup_path().empty();
  std::string text = fmt::format("readings of {} at that moment, not means",
                                 node ? "the node's files" : "the cgroup's files");
  if (HasSpikes(points)) {
    text += view.style == ChartStyle::kBraille
                ? "; dots above the line are the highest usage since the reading before (usage_max)"
                : "; ^ is the highest usage since the reading before (usage_max)";
  }
  page->Text("POINTS", text, 2);
  if (points.size() > 1 && !TellsSpikes(points)) {
    page->Text("", "spikes between two readings are not seen (no usage_max)", 1);
  }
  const v1::CurvePoint& last = *points.back();
  if (last.provenance() == v1::PROVENANCE_AT_KILL) {
    page->Text("",
               fmt::format("the {} one, ✕, is of the kill's own record (at kill)",
                           points.size() == 1 ? "only" : "last"),
               2);
    return;
  }
  const int64_t late = Between(ToNs(last.time()), KillTime(event, points));
  page->Text("",
             fmt::format("the usage at the kill, ✕, was not told: the last reading is {} older",
                         SpanWords(static_cast<double>(late))),
             2);
}

}  // namespace

std::string RenderCurve(const v1::Event& event, const CurveView& view) {
  const size_t width = std::clamp<size_t>(view.width, 40, 160);
  const Points points = PointsByTime(event.oom().curve());
  Page header(width, view.paint);
  AddHeader(event, points, view, &header);
  std::string out = std::move(header).Finish();
  AddPanels(event, points, view, width, &out);
  Page page(width, view.paint);
  page.Blank();
  AddGrowth(points, &page);
  AddComposition(points, &page);
  AddGaps(event.oom().curve(), &page);
  AddPoints(event, points, view, &page);
  out += std::move(page).Finish();
  return view.style == ChartStyle::kAscii ? ToAscii(out) : out;
}

}  // namespace oombox
