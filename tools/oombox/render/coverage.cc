#include "tools/oombox/render/coverage.h"

#include <fmt/format.h>

#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

constexpr int kMaxNamed = 5;

}  // namespace

bool IsComplete(const v1::CoverageSummary& summary) {
  return summary.nodes_known() > 0 && summary.nodes_complete() == summary.nodes_known();
}

std::string CoverageReason(const v1::Coverage& coverage,
                           const google::protobuf::Duration* report_age) {
  std::string text = coverage.state() == v1::Coverage::STATE_INCOMPLETE ? "incomplete" : "unknown";
  if (!coverage.reason().empty()) {
    return text + ": " + coverage.reason();
  }
  if (report_age != nullptr && coverage.state() != v1::Coverage::STATE_INCOMPLETE) {
    text +=
        fmt::format(": last report {} ago", FormatAgeLong(report_age->seconds() * 1'000'000'000));
  }
  return text;
}

std::string CoverageLine(const EventList& list) {
  const std::string_view title = list.saved ? "coverage when saved" : "coverage";
  if (!list.coverage) {
    return list.saved ? "coverage: not known (saved events)"
                      : "coverage: unknown, the server does not tell";
  }
  const v1::CoverageSummary& summary = *list.coverage;
  if (summary.nodes_known() == 0) {
    return fmt::format("{}: no node is known, so nothing was watched", title);
  }
  std::string line = fmt::format("{}: {} of {} nodes complete", title, summary.nodes_complete(),
                                 summary.nodes_known());
  const std::string removed = summary.has_removed_until()
                                  ? fmt::format("; some events up to {} may be gone",
                                                FormatDateTime(ToNs(summary.removed_until())))
                                  : "";
  if (IsComplete(summary)) {
    return line + removed;
  }
  line += "; not: ";
  int named = 0;
  for (const v1::NodeCoverage& node : summary.incomplete_nodes()) {
    if (named == kMaxNamed) {
      break;
    }
    line +=
        fmt::format("{}{} ({})", named == 0 ? "" : ", ", node.node_name(),
                    CoverageReason(node.coverage(),
                                   node.has_last_report_age() ? &node.last_report_age() : nullptr));
    ++named;
  }
  const auto missing = static_cast<int64_t>(summary.nodes_known()) - summary.nodes_complete();
  if (missing > named) {
    line += fmt::format("{}{} more (oombox status)", named == 0 ? "" : " and ", missing - named);
  }
  return line + removed;
}

bool IsWhole(const EventList& list) {
  return list.coverage ? IsComplete(*list.coverage) : list.saved;
}

}  // namespace oombox
