#include <fmt/format.h>

#include "tools/oombox/render/curve_facts.h"
#include "tools/oombox/render/curve_view.h"
#include "tools/oombox/render/text_width.h"
#include "tools/oombox/render/units.h"

namespace oombox {

namespace {

TableCell Bytes(bool known, uint64_t bytes, const char* otherwise = "unknown") {
  return {known ? FormatBytes(bytes) : otherwise};
}

TableCell Percent(bool known, double percent) {
  return {known ? fmt::format("{:.1f} %", percent) : "unknown"};
}

std::string SourceOf(const v1::CurvePoint& point) {
  return point.provenance() == v1::PROVENANCE_AT_KILL ? "at kill" : "read before";
}

std::vector<TableCell> Row(const v1::CurvePoint& at) {
  return {{FormatDateTime(ToNs(at.time()))},
          Bytes(at.has_usage_bytes(), at.usage_bytes()),
          Bytes(at.has_usage_max_bytes(), at.usage_max_bytes()),
          Bytes(at.has_working_set_bytes(), at.working_set_bytes()),
          Bytes(at.has_anon_bytes(), at.anon_bytes()),
          Bytes(at.has_file_bytes(), at.file_bytes()),
          Bytes(at.has_shmem_bytes(), at.shmem_bytes()),
          Bytes(at.has_kernel_bytes(), at.kernel_bytes()),
          Bytes(at.has_sock_bytes(), at.sock_bytes()),
          {at.has_tasks() ? std::to_string(at.tasks()) : "unknown"},
          Bytes(at.has_limit_bytes(), at.limit_bytes(), "none"),
          Percent(at.has_some_avg10_percent(), at.some_avg10_percent()),
          Percent(at.has_full_avg10_percent(), at.full_avg10_percent()),
          {SourceOf(at)}};
}

std::string GapLine(const v1::CurveGap& gap) {
  return fmt::format("GAP {} – {}: {}", FormatDateTime(ToNs(gap.start_time())),
                     FormatDateTime(ToNs(gap.end_time())),
                     gap.reason().empty() ? "no reason given" : gap.reason());
}

}  // namespace

std::string RenderCurveTable(const v1::MemoryCurve& curve, const TableOptions& options) {
  Table table({{"TIME"},
               {"USAGE", true},
               {"USAGE MAX", true, 0, 1},
               {"WORKING SET", true},
               {"ANON", true},
               {"FILE", true},
               {"SHMEM", true, 0, 6},
               {"KERNEL", true, 0, 4},
               {"SOCK", true, 0, 8},
               {"TASKS", true, 0, 7},
               {"LIMIT", true},
               {"SOME AVG10", true, 0, 2},
               {"FULL AVG10", true, 0, 3},
               {"SOURCE", false, 0, 5}});
  auto gap = curve.gaps().begin();
  const auto add_gaps_until = [&](int64_t time_ns) {
    for (; gap != curve.gaps().end() && ToNs(gap->start_time()) < time_ns; ++gap) {
      table.Add({{GapLine(*gap), Style::kYellow}});
    }
  };
  for (const v1::CurvePoint* point : PointsByTime(curve)) {
    add_gaps_until(ToNs(point->time()));
    table.Add(Row(*point));
  }
  for (; gap != curve.gaps().end(); ++gap) {
    table.Add({{GapLine(*gap), Style::kYellow}});
  }
  return table.Render(options) + table.LeftOut(options);
}

}  // namespace oombox
