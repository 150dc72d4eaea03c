#include <fmt/format.h>

#include "tools/oombox/reference.h"
#include "tools/oombox/render/curve_facts.h"
#include "tools/oombox/render/curve_view.h"
#include "tools/oombox/render/json.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"

namespace oombox {

namespace {

constexpr size_t kUsualWidth = 80;

// Only a kill has a curve, and not every one.
Status CheckCurve(const v1::Event& event) {
  const std::string id = ShortId(event);
  if (event.has_pressure()) {
    const std::string& kill = event.pressure().kill_event_id();
    return MakeError(ErrorCode::kNotFound,
                     "{} is a change of memory pressure; a curve is kept with a kill\n{}", id,
                     kill.empty()
                         ? fmt::format("try: oombox top   (where the memory goes now); no kill is "
                                       "known to have followed (oombox explain {})",
                                       id)
                         : fmt::format("try: oombox curve {}   (the kill that followed)", kill));
  }
  if (!event.has_oom()) {
    return MakeError(ErrorCode::kNotFound,
                     "{} is no OOM kill: it has no memory curve\ntry: oombox explain {}", id, id);
  }
  if (event.oom().curve().points().empty()) {
    return MakeError(ErrorCode::kNotFound, "{} has no memory curve: {}\ntry: oombox explain {}", id,
                     MissingCurveReason(event), id);
  }
  return {};
}

// A line per reading; lines hold readings alone, so the gaps go to the notes.
Status PrintLines(const v1::MemoryCurve& curve, const VerbContext& context) {
  for (const v1::CurvePoint& point : curve.points()) {
    OOMBOX_TRY(const std::string line, ToJson(point, JsonLayout::kOneLine));
    context.out->Write(line);
  }
  if (!curve.gaps().empty()) {
    fmt::print(context.notes, "oombox: between the readings are {} gaps (-o json lists them)\n",
               curve.gaps_size());
  }
  return {};
}

Status Print(const v1::Event& event, const CurveOptions& options, const VerbContext& context) {
  const v1::MemoryCurve& curve = event.oom().curve();
  const size_t width = context.out->width();
  switch (context.format) {
    case OutputFormat::kJson: {
      OOMBOX_TRY(const std::string text, ToJson(curve, JsonLayout::kIndented));
      context.out->Write(text);
      return {};
    }
    case OutputFormat::kJsonLines:
      return PrintLines(curve, context);
    case OutputFormat::kYaml:
      context.out->Write(ToYaml(curve));
      return {};
    case OutputFormat::kTable:
      context.out->Write(RenderCurveTable(
          curve, {.width = width, .headers = context.headers, .paint = context.out->paint()}));
      return {};
    default:
      break;
  }
  const ChartStyle finest = context.out->draws() ? ChartStyle::kBraille : ChartStyle::kAscii;
  context.out->Write(RenderCurve(event, {.now_ns = context.now_ns,
                                         .width = width == 0 ? kUsualWidth : width,
                                         .style = options.style.value_or(finest),
                                         .paint = context.out->paint()}));
  return {};
}

}  // namespace

Result<ExitCode> RunCurve(const std::string& reference, const CurveOptions& options,
                          const VerbContext& context) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("curve", context.format, {F::kTable, F::kJson, F::kJsonLines, F::kYaml}));
  OOMBOX_RETURN_IF_ERROR(CheckReference(reference));
  OOMBOX_TRY(const std::string id, ResolveReference(reference, context.source));
  const auto event = context.source->GetEvent(id);
  if (!event.has_value()) {
    return tl::unexpected<Error>(
        ExplainReferenceError(event.error(), reference, context.source, context.now_ns));
  }
  OOMBOX_RETURN_IF_ERROR(CheckCurve(*event));
  OOMBOX_RETURN_IF_ERROR(Print(*event, options, context));
  return kExitOk;
}

}  // namespace oombox
