#include "tools/oombox/render/watch_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/oombox/reference.h"
#include "tools/oombox/render/event_names.h"
#include "tools/oombox/render/pressure_text.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

// What the other words of a line take, about.
constexpr size_t kOtherColumns = 70;
constexpr size_t kShortestSubject = 24;

std::string Subject(const v1::Event& event, size_t width) {
  const size_t room = width < kOtherColumns ? 0 : width - kOtherColumns;
  const std::string subject = EventSubject(event);
  return width == 0 ? subject : ElideMiddle(subject, std::max(room, kShortestSubject));
}

std::string KillText(const v1::Event& event, size_t width) {
  const v1::OomEvent& oom = event.oom();
  std::string text = Subject(event, width);
  if (!oom.victims().empty()) {
    const v1::Victim& victim = oom.victims(0);
    const auto memory = ResidentMemory(victim.memory());
    text += fmt::format(
        " {} {}", VictimName(victim),
        memory ? (memory->complete ? "" : "≥") + CompactBytes(memory->bytes) : "memory unknown");
  }
  if (oom.victims_total() > 1) {
    text += fmt::format(" +{} more", oom.victims_total() - 1);
  }
  if (oom.limit_hit().has_limit_bytes()) {
    text += fmt::format(" limit {}", CompactBytes(oom.limit_hit().limit_bytes()));
  } else {
    text += oom.scope() == v1::OOM_SCOPE_NODE ? " node out of memory" : " limit unknown";
  }
  return text;
}

const char* NoKillTag(v1::NoKillEvent::Kind kind) {
  return kind == v1::NoKillEvent::KIND_NO_VICTIM ? "OOM " : "NOTE";
}

struct Words {
  const char* tag;
  Style style;
  std::string text;
};

Words Describe(const v1::Event& event, size_t width) {
  switch (event.body_case()) {
    case v1::Event::kOom:
      return {"KILL", Style::kRed, KillText(event, width)};
    case v1::Event::kGap:
      return {"GAP ", Style::kRed,
              fmt::format("{}: {}", GapLoss(event.gap()), GapCause(event.gap().cause()))};
    case v1::Event::kNoKill:
      return {NoKillTag(event.no_kill().kind()), Style::kYellow,
              Subject(event, width) + " " + NoKillText(event.no_kill())};
    case v1::Event::kPressure:
      return {"PRES", StateStyle(event.pressure().state()),
              fmt::format("{} {} {}", StateName(event.pressure().state()), Subject(event, width),
                          PressureWords(event.pressure()))};
    case v1::Event::BODY_NOT_SET:
      break;
  }
  return {"????", Style::kYellow, "an event of a newer version; upgrade this oombox"};
}

const char* Mark(const v1::Event& event) {
  return event.replayed() ? "RECORDING " : FromKernelLog(event) ? "KERNEL LOG " : "";
}

}  // namespace

std::string WatchLine(const v1::Event& event, const Paint& paint, size_t width) {
  const Words words = Describe(event, width);
  const std::string& node = event.node().node_name();
  return fmt::format("{} {} {}{}{} {}", FormatClock(ToNs(event.event_time())),
                     paint(words.style, words.tag), Mark(event), words.text,
                     node.empty() ? "" : " on " + node, paint(Style::kBold, ShortId(event)));
}

}  // namespace oombox
