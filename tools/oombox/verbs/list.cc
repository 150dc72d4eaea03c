#include <fmt/format.h>

#include <limits>

#include "tools/oombox/filter_builder.h"
#include "tools/oombox/moment.h"
#include "tools/oombox/render/coverage.h"
#include "tools/oombox/render/list_view.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/verbs/verbs.h"
#include "tools/oombox/verbs/write_json.h"

namespace oombox {

namespace {

// Of what a person reads. Programs get all there is: a list that was cut looks like a whole one.
constexpr size_t kDefaultLimit = 1000;
constexpr int64_t kMaxLimit = 100'000;

bool IsForMachines(OutputFormat format) {
  return format == OutputFormat::kJson || format == OutputFormat::kJsonLines ||
         format == OutputFormat::kYaml;
}

size_t LimitOf(const ListOptions& options, OutputFormat format) {
  if (options.last != 0) {
    return static_cast<size_t>(options.last);
  }
  return IsForMachines(format) ? std::numeric_limits<size_t>::max() : kDefaultLimit;
}

v1::ListEventsResponse AsMessage(EventList list) {
  v1::ListEventsResponse message;
  for (v1::Event& event : list.events) {
    *message.add_events() = std::move(event);
  }
  if (list.coverage) {
    *message.mutable_coverage() = std::move(*list.coverage);
  }
  return message;
}

// Each line goes out as it comes: the list may be longer than memory. Lines hold events alone, so
// the coverage goes to the notes.
Result<ExitCode> StreamLines(ListRequest request, const VerbContext& context) {
  bool whole = true;
  request.each = [&](const v1::Event& event) {
    whole = WriteJsonLine(event, context) && whole;
    return !context.out->closed() && context.out->status().has_value();
  };
  OOMBOX_TRY(const EventList list, context.source->ListEvents(request));
  if (IsWhole(list)) {
    return whole ? kExitOk : kExitPartial;
  }
  fmt::print(context.notes, "oombox: {}\n", CoverageLine(list));
  return kExitPartial;
}

std::string_view NounOf(std::string_view kind) {
  return kind == "pressure"    ? "changes of memory pressure"
         : kind == "gap"       ? "gaps"
         : kind == "no_kill"   ? "SIGKILLs or marks without an OOM kill"
         : kind == "no_victim" ? "OOMs without a victim"
                               : "OOM kills";
}

// False: something could not be written, which was said.
Result<bool> Print(EventList list, const ListOptions& options, const VerbContext& context) {
  switch (context.format) {
    case OutputFormat::kJson:
      return WriteJsonList(AsMessage(std::move(list)), context);
    case OutputFormat::kYaml:
      context.out->Write(ToYaml(AsMessage(std::move(list))));
      return true;
    default:
      break;
  }
  ListView view;
  view.now_ns = context.now_ns;
  view.width = context.out->width();
  view.headers = context.headers;
  view.folding = options.no_group ? Folding::kNone : Folding::kByWorkload;
  view.paint = context.out->paint();
  FilterOptions choice = options.filter;
  choice.since.clear();
  choice.kind.clear();
  choice.kills_first = false;
  OOMBOX_TRY(const std::string chosen, BuildFilter(choice, context.now_ns));
  view.chosen = !chosen.empty();
  view.what = NounOf(options.filter.kind);
  if (!options.filter.since.empty()) {
    OOMBOX_TRY(view.since_ns, ParseMoment(options.filter.since, context.now_ns));
  }
  context.out->Write(context.format == OutputFormat::kCompact ? RenderListCompact(list, view)
                                                              : RenderListTable(list, view));
  return true;
}

// True, and said, when kills in pods whose names nobody knows may be among those that are meant: a
// choice by name leaves them out.
Result<bool> HasNameless(const ListOptions& options, const VerbContext& context) {
  if (!ChoosesByName(options.filter)) {
    return false;
  }
  const FilterOptions nameless = NamelessOf(options.filter);
  OOMBOX_TRY(const std::string filter, BuildFilter(nameless, context.now_ns));
  OOMBOX_TRY(const EventList list, context.source->ListEvents({.filter = filter, .limit = 1}));
  if (list.events.empty()) {
    return false;
  }
  fmt::print(context.notes,
             "oombox: {} in pods whose names are not known are not listed; to see them:\n"
             "  oombox list{} --filter '{}'\n",
             nameless.kind == "pressure" ? "changes of pressure" : "kills",
             nameless.kind == "pressure" ? " --kind pressure" : "", nameless.expression);
  return true;
}

}  // namespace

Result<ExitCode> RunList(const ListOptions& asked, const VerbContext& context) {
  using F = OutputFormat;
  ListOptions options = asked;
  options.filter.kills_first = true;
  OOMBOX_RETURN_IF_ERROR(CheckFormat("list", context.format,
                                     {F::kTable, F::kCompact, F::kJson, F::kJsonLines, F::kYaml}));
  if (options.last < 0 || options.last > kMaxLimit) {
    return MakeError(ErrorCode::kInvalid, "--last {}: give a number from 1 to {}", options.last,
                     kMaxLimit);
  }
  OOMBOX_TRY(const std::string filter, BuildFilter(options.filter, context.now_ns));
  if (options.filter.print) {
    context.out->Write(filter + "\n");
    return kExitOk;
  }
  ListRequest request;
  request.filter = filter;
  request.view = IsForMachines(context.format) ? v1::EVENT_VIEW_FULL : v1::EVENT_VIEW_BASIC;
  request.limit = LimitOf(options, context.format);
  if (context.format == OutputFormat::kJsonLines) {
    OOMBOX_TRY(const ExitCode exit, StreamLines(std::move(request), context));
    OOMBOX_TRY(const bool nameless, HasNameless(options, context));
    return nameless ? kExitPartial : exit;
  }
  OOMBOX_TRY(EventList list, context.source->ListEvents(request));
  if (options.last != 0) {
    list.more = false;  // asked for so many, got so many
  }
  const bool whole = IsWhole(list);
  OOMBOX_TRY(const bool printed, Print(std::move(list), options, context));
  OOMBOX_TRY(const bool nameless, HasNameless(options, context));
  return whole && printed && !nameless ? kExitOk : kExitPartial;
}

}  // namespace oombox
