#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/common/clock.h"
#include "tools/oombox/live_screen.h"
#include "tools/oombox/moment.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/top_view.h"
#include "tools/oombox/render/units.h"
#include "tools/oombox/render/yaml.h"
#include "tools/oombox/top_rows.h"
#include "tools/oombox/verbs/verbs.h"
#include "tools/oombox/verbs/write_json.h"

namespace oombox {

namespace {

constexpr size_t kDefaultLines = 20;
constexpr int64_t kKillsAreFreshNs = 30'000'000'000;

bool IsForPrograms(OutputFormat format) {
  return format == OutputFormat::kJsonLines || format == OutputFormat::kJson ||
         format == OutputFormat::kYaml;
}

// False: something could not be written, which was said.
Result<bool> PrintForPrograms(const std::vector<v1::NodeStatus>& nodes,
                              const VerbContext& context) {
  if (context.format == OutputFormat::kJsonLines) {
    bool whole = true;
    for (const v1::NodeStatus& node : nodes) {
      whole = WriteJsonLine(node, context) && whole;
    }
    return whole;
  }
  v1::ListNodesResponse message;
  message.mutable_nodes()->Add(nodes.begin(), nodes.end());
  if (context.format == OutputFormat::kYaml) {
    context.out->Write(ToYaml(message));
    return true;
  }
  return WriteJsonList(std::move(message), context);
}

ExitCode CodeOf(const TopNodes& chosen) {
  return TopGaps(chosen).empty() && !chosen.nodes.empty() ? kExitOk : kExitPartial;
}

std::string Table(const TopNodes& chosen, const LastKills& kills, const TopOptions& options,
                  const VerbContext& context, TopView view) {
  const std::vector<TopRow> rows = MakeRows(chosen.nodes, kills, options.sort);
  view.width = context.out->width();
  view.headers = context.headers;
  view.nodes = chosen.nodes.size() > 1;
  view.paint = context.out->paint();
  const std::string gaps = TopGaps(chosen);
  std::string out = RenderTop(rows, view);
  if (rows.empty() && gaps.empty()) {
    out += "no container\n";
  }
  return out + gaps + view.paint(Style::kDim, TopFooter(chosen, view.now_ns));
}

// Draws anew until it is stopped. What cannot be asked for is shown beside the last answer.
class Live {
 public:
  Live(const TopOptions& options, const TopChoice& choice, const VerbContext& context)
      : options_(options), choice_(choice), context_(context) {}

  // The first answer decides whether there is anything to draw.
  Result<ExitCode> Run(std::chrono::milliseconds interval, const std::stop_token& stop) {
    OOMBOX_RETURN_IF_ERROR(Ask());
    LiveScreen screen(context_.out, stop);
    do {
      context_.out->Measure();
      screen.Show(Picture());
      if (!screen.Wait(interval)) {
        break;
      }
      const Status asked = Ask();
      error_ = asked.has_value() ? std::nullopt : std::optional(asked.error().message);
    } while (true);
    return CodeOf(chosen_);
  }

 private:
  Status Ask() {
    OOMBOX_TRY(const std::vector<v1::NodeStatus> nodes, context_.source->Nodes());
    const int64_t now_ns = WallNowNs();
    // A list of kills costs the server more than its nodes, and changes seldom.
    if (now_ns - kills_ns_ > kKillsAreFreshNs) {
      OOMBOX_TRY(kills_, ReadLastKills(choice_.filter, context_.source));
      kills_ns_ = now_ns;
    }
    chosen_ = ChooseNodes(nodes, choice_);
    asked_ns_ = now_ns;
    return {};
  }

  std::string Picture() const {
    const int64_t now_ns = WallNowNs();
    std::string head = fmt::format("oombox top  {}  {}  q ends", FormatClock(now_ns).substr(0, 8),
                                   context_.source->Describe());
    head = context_.out->paint()(Style::kBold, ElideMiddle(head, context_.out->width())) + "\n";
    if (error_) {
      const std::string why = error_->substr(0, error_->find('\n'));
      head += context_.out->paint()(
                  Style::kRed,
                  ElideMiddle(fmt::format("! as of {} ago: {}", FormatAge(now_ns - asked_ns_), why),
                              context_.out->width())) +
              "\n";
    }
    // Beside the rows: the head, the table's first line, two that say what is left out, the feet.
    const auto feet = TopGaps(chosen_) + TopFooter(chosen_, now_ns);
    const auto taken = static_cast<size_t>(std::count(feet.begin(), feet.end(), '\n')) +
                       static_cast<size_t>(std::count(head.begin(), head.end(), '\n')) + 3;
    const size_t height = context_.out->height();
    return head + Table(chosen_, kills_, options_, context_,
                        {.now_ns = now_ns,
                         .limit = height > taken ? height - taken : 1,
                         .more = "oombox top --once --all"});
  }

  const TopOptions& options_;
  const TopChoice& choice_;
  const VerbContext& context_;
  TopNodes chosen_;
  LastKills kills_ = {};
  int64_t kills_ns_ = 0;
  int64_t asked_ns_ = 0;
  std::optional<std::string> error_;
};

Result<std::chrono::milliseconds> IntervalOf(const TopOptions& options) {
  auto interval = ParseDuration(options.interval);
  if (!interval.has_value()) {
    return Annotate(std::move(interval).error(), "--interval");
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(*interval);
  if (milliseconds.count() < 1000 || *interval > std::chrono::hours(1)) {
    return MakeError(ErrorCode::kInvalid, "--interval {}: give 1s to 1h", options.interval);
  }
  return milliseconds;
}

}  // namespace

bool IsLive(const TopOptions& options, const VerbContext& context) {
  const bool table =
      context.format == OutputFormat::kDefault || context.format == OutputFormat::kTable;
  return table && !options.once && context.out->height() > 0;
}

Result<ExitCode> RunTop(const TopOptions& options, const VerbContext& context,
                        const std::stop_token& stop) {
  using F = OutputFormat;
  OOMBOX_RETURN_IF_ERROR(
      CheckFormat("top", context.format, {F::kTable, F::kJson, F::kJsonLines, F::kYaml}));
  OOMBOX_TRY(const std::chrono::milliseconds interval, IntervalOf(options));
  OOMBOX_TRY(const TopChoice choice, MakeTopChoice(options, context.now_ns));
  if (IsLive(options, context)) {
    return Live(options, choice, context).Run(interval, stop);
  }
  OOMBOX_TRY(const std::vector<v1::NodeStatus> nodes, context.source->Nodes());
  const TopNodes chosen = ChooseNodes(nodes, choice);
  if (IsForPrograms(context.format)) {
    OOMBOX_TRY(const bool whole, PrintForPrograms(chosen.nodes, context));
    return whole ? CodeOf(chosen) : kExitPartial;
  }
  OOMBOX_TRY(const LastKills kills, ReadLastKills(choice.filter, context.source));
  context.out->Write(Table(chosen, kills, options, context,
                           {.now_ns = context.now_ns, .limit = options.all ? 0 : kDefaultLines}));
  return CodeOf(chosen);
}

}  // namespace oombox
