#include "tools/oombox/render/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tools/oombox/reference.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

// Together with what the other parts may take, 35 lines.
constexpr size_t kMaxDetailLines = 6;
constexpr size_t kMaxWhyLines = 5;
constexpr size_t kMaxUnknownLines = 5;

void AddHeader(const v1::Event& event, const ExplainView& view, Page* page) {
  if (event.replayed()) {
    page->Line("RECORDING: replayed from a recording, did not happen on this node now",
               Style::kYellow);
  }
  if (!event.oom().superseded_by().empty()) {
    page->Line("SUPERSEDED: this kill was captured after all, with more: oombox explain " +
                   event.oom().superseded_by().substr(0, 8),
               Style::kYellow);
  } else if (FromKernelLog(event)) {
    page->Line("KERNEL LOG: nobody captured this kill; put together from the log, much is missing",
               Style::kYellow);
  }
  const int64_t time_ns = ToNs(event.event_time());
  const char* what = event.has_gap()        ? "GAP"
                     : event.has_pressure() ? "PRESSURE"
                     : event.has_no_kill()  ? "NO KILL"
                                            : "OOM";
  std::string line = fmt::format("{} {}  {} ({} ago)", what, ShortId(event),
                                 FormatDateTime(time_ns), FormatAgeLong(view.now_ns - time_ns));
  if (!event.node().cluster_name().empty()) {
    line += "  cluster " + ElideMiddle(event.node().cluster_name(), 20);
  }
  line += "  node ";
  const std::string& node = event.node().node_name();
  const size_t room = page->width() - std::min(TextWidth(line), page->width());
  page->Line(line + (node.empty() ? "unknown" : ElideMiddle(node, std::max<size_t>(room, 8))),
             Style::kBold);
}

// Whose cgroup it is, as far as its path says.
std::string ContainerLine(const v1::Container& container) {
  constexpr size_t kShortContainerId = 12;  // as docker ps and crictl ps print it
  std::string line;
  const auto add = [&line](const std::string& what, const std::string& value) {
    if (!value.empty()) {
      line += (line.empty() ? "" : "  ") + what + value;
    }
  };
  add("container ", container.container_id().substr(0, kShortContainerId));
  add("", container.runtime_name());
  add("pod ", container.pod_uid());
  add("", container.qos_class());
  return line;
}

void AddSubject(const v1::ExplainEventResponse& response, Page* page) {
  const v1::OomEvent& oom = response.event().oom();
  const v1::Container& container =
      response.event().has_no_kill()    ? response.event().no_kill().container()
      : response.event().has_pressure() ? response.event().pressure().container()
                                        : oom.container();
  if (container.pod_name().empty()) {
    const bool known =
        response.event().has_pressure() || response.event().has_no_kill() || !oom.cgroups().empty();
    page->Line((response.event().pressure().whole_node() ? "" : "cgroup ") +
               (known ? EventSubject(response.event()) : "unknown"));
    if (const std::string line = ContainerLine(container); !line.empty()) {
      page->Line(line);
    }
  } else {
    std::string line = EventSubject(response.event());
    if (!container.owner().empty()) {
      line += "  " + container.owner();
    }
    if (!container.image_name().empty()) {
      line += "  image " + container.image_name();
    }
    if (!container.qos_class().empty()) {
      line += "  " + container.qos_class();
    }
    if (container.has_restart_count()) {
      line += fmt::format("  restarts {}", container.restart_count());
    }
    page->Line(line);
  }
  const v1::Diagnosis& diagnosis = response.diagnosis();
  if (diagnosis.workload_kills() > 1) {
    std::string line = fmt::format("killed {} times", diagnosis.workload_kills());
    if (diagnosis.has_workload_first_kill_time()) {
      line += " since " + FormatDateTime(ToNs(diagnosis.workload_first_kill_time()));
    }
    page->Line(line + "  workload " + oom.workload());
  }
}

std::string ConfidenceText(v1::Confidence confidence) {
  switch (confidence) {
    case v1::CONFIDENCE_LOW:
      return "confidence low";
    case v1::CONFIDENCE_MEDIUM:
      return "confidence medium";
    case v1::CONFIDENCE_HIGH:
      return "confidence high";
    default:
      return "";
  }
}

void AddVerdict(const v1::Diagnosis& diagnosis, Page* page) {
  page->Blank();
  if (diagnosis.verdict().empty()) {
    page->Text("VERDICT", "none: the server gave no diagnosis", 1);
    return;
  }
  page->Pair("VERDICT", diagnosis.verdict(), ConfidenceText(diagnosis.confidence()), Style::kBold);
  const size_t end = page->lines() + kMaxDetailLines;
  for (const std::string& detail : diagnosis.details()) {
    if (page->lines() < end) {
      page->Text("", detail, std::min<size_t>(end - page->lines(), 2));
    }
  }
}

char SignOf(v1::Evidence::Weight weight) {
  switch (weight) {
    case v1::Evidence::WEIGHT_FOR:
      return '+';
    case v1::Evidence::WEIGHT_AGAINST:
      return '-';
    default:
      return '?';
  }
}

// "WHY    + statement                         [source]"; the sign stands in the label's column.
void AddWhy(const v1::Diagnosis& diagnosis, Page* page) {
  const size_t end = page->lines() + kMaxWhyLines;
  int shown = 0;
  for (const v1::Evidence& evidence : diagnosis.evidence()) {
    const bool last = shown + 1 == diagnosis.evidence_size();
    // A piece of evidence takes two lines at most, and one is kept for what is left out.
    if (page->lines() + (last ? 2 : 3) > end) {
      page->Text("", fmt::format("… and {} more (-o json)", diagnosis.evidence_size() - shown), 1);
      return;
    }
    const std::string source = evidence.source().empty() ? "" : "[" + evidence.source() + "]";
    page->Pair(fmt::format("{:<7}{}", shown == 0 ? "WHY" : "", SignOf(evidence.weight())),
               evidence.statement(), ElideMiddle(source, 30), Style::kPlain);
    ++shown;
  }
}

void AddTrigger(const v1::OomEvent& oom, Page* page) {
  const v1::Trigger& trigger = oom.trigger();
  if (!oom.has_trigger() || trigger.tid() == 0) {
    page->Text("TRIGGER", "unknown", 1);
    return;
  }
  std::string text = ElideMiddle(fmt::format("{}[{}]", trigger.comm(), trigger.tgid()), 40);
  if (trigger.activity() == v1::Trigger::ACTIVITY_SYSRQ) {
    page->Text("TRIGGER", text + " ran it for somebody who asked for a kill (sysrq-f)", 2);
    return;
  }
  const bool own = std::any_of(oom.victims().begin(), oom.victims().end(),
                               [&](const v1::Victim& v) { return v.tgid() == trigger.tgid(); });
  text += own ? " asked for the page that was not there: the victim itself"
              : " asked for the page that was not there; it is not the victim";
  if (const std::string activity = ActivityText(trigger.activity()); !activity.empty()) {
    text += ", " + activity;
  }
  if (oom.has_decision()) {
    text += fmt::format(" ({}, {} {})", ElideMiddle(oom.decision().gfp_flags(), 40),
                        uint64_t{1} << std::clamp(oom.decision().order(), 0, 30),
                        oom.decision().order() == 0 ? "page" : "pages");
  }
  page->Text("TRIGGER", text, 2);
}

// What the diagnosis lacked; without one, the fields that the event misses, each with its reason.
std::vector<std::string> ListUnknown(const v1::ExplainEventResponse& response) {
  const auto& told = response.diagnosis().unknowns();
  std::vector<std::string> unknown(told.begin(), told.end());
  if (!unknown.empty()) {
    return unknown;
  }
  const v1::OomEvent& oom = response.event().oom();
  bool curve_named = !response.event().has_oom() || !oom.curve().points().empty();
  for (const v1::MissingField& missing : oom.quality().missing()) {
    unknown.push_back(missing.field() + ": " + missing.reason());
    curve_named = curve_named || missing.field() == "curve";
  }
  if (!curve_named) {
    unknown.emplace_back("curve: not recorded");
  }
  return unknown;
}

void AddUnknown(const v1::ExplainEventResponse& response, Page* page) {
  const std::vector<std::string> unknown = ListUnknown(response);
  const size_t end = page->lines() + kMaxUnknownLines;
  for (size_t i = 0; i < unknown.size(); ++i) {
    const bool last = i + 1 == unknown.size();
    // An item takes two lines at most, and one is kept for what is left out.
    if (page->lines() + (last ? 1 : 2) > end) {
      page->Text("", fmt::format("… and {} more (-o json)", unknown.size() - i), 1);
      return;
    }
    const size_t room = end - page->lines() - (last ? 0 : 1);
    page->Text(i == 0 ? "UNKNOWN" : "", unknown[i], std::min<size_t>(room, 2));
  }
}

void AddMore(const v1::Event& event, Page* page) {
  std::vector<std::string> items = {fmt::format("oombox get {}", ShortId(event))};
  if (!event.oom().curve().points().empty()) {
    items.push_back("oombox curve " + ShortId(event));
  }
  if (!event.oom().pressure_event_id().empty()) {
    items.push_back("warned before: oombox get " + event.oom().pressure_event_id().substr(0, 8));
  }
  if (!event.pressure().kill_event_id().empty()) {
    items.push_back("oombox explain " + event.pressure().kill_event_id().substr(0, 8));
  }
  if (event.has_pressure()) {
    items.emplace_back("oombox top");
    items.emplace_back("oombox list --kind pressure");
  } else if (event.has_oom() && !event.oom().cgroups().empty()) {
    const std::string& path = event.oom().cgroups(0).path();
    const std::string name = path.substr(path.find_last_of('/') + 1);
    // Only a name that a shell takes as it is: this line is made to be copied.
    const bool plain = !name.empty() && name.size() <= 48 &&
                       name.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789-_.") == std::string::npos;
    items.push_back(plain ? "oombox list --no-group --cgroup " + name : "oombox list --no-group");
  } else {
    items.emplace_back("oombox list");
  }
  page->Items("MORE", items, 2);
}

void AddGap(const v1::GapEvent& gap, Page* page) {
  page->Blank();
  page->Text("GAP", GapLoss(gap) + ": " + GapCause(gap.cause()), 2, Style::kRed);
  if (gap.has_start_time() && gap.has_end_time()) {
    page->Text("",
               fmt::format("between {} and {}", FormatDateTime(ToNs(gap.start_time())),
                           FormatDateTime(ToNs(gap.end_time()))),
               1);
  }
  if (!gap.detail().empty()) {
    page->Text("", gap.detail(), 3);
  }
}

}  // namespace

std::string RenderExplain(const v1::ExplainEventResponse& response, const ExplainView& view) {
  Page page(std::clamp<size_t>(view.width == 0 ? 100 : view.width, 60, 100), view.paint);
  const v1::Event& event = response.event();
  AddHeader(event, view, &page);
  if (event.has_gap()) {
    AddGap(event.gap(), &page);
    AddMore(event, &page);
    return std::move(page).Finish();
  }
  AddSubject(response, &page);
  AddVerdict(response.diagnosis(), &page);
  if (!event.oom().curve().points().empty() || !response.diagnosis().evidence().empty()) {
    page.Blank();
  }
  if (!event.oom().curve().points().empty()) {
    AddCurve(event.oom().curve(), &page);
  }
  AddWhy(response.diagnosis(), &page);
  if (event.has_oom()) {
    page.Blank();
    AddWhat(event.oom(), &page);
    AddWho(event.oom(), &page);
    AddTrigger(event.oom(), &page);
  }
  if (event.has_pressure()) {
    AddPressure(event.pressure(), &page);
  }
  AddUnknown(response, &page);
  AddMore(event, &page);
  return std::move(page).Finish();
}

}  // namespace oombox
