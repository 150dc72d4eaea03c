#pragma once

#include <fmt/format.h>
#include <prometheus/metric_family.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace oombox {

// The families as docs/operations.md has them: one line each, in the order of the export.
inline std::string MetricsTable(const std::vector<prometheus::MetricFamily>& families) {
  std::string table = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const prometheus::MetricFamily& family : families) {
    const char* type = family.type == prometheus::MetricType::Counter     ? "counter"
                       : family.type == prometheus::MetricType::Histogram ? "histogram"
                                                                          : "gauge";
    std::set<std::string> labels;
    for (const auto& metric : family.metric) {
      for (const auto& label : metric.label) {
        labels.insert("`" + label.name + "`");
      }
    }
    std::string names;
    for (const std::string& label : labels) {
      names += (names.empty() ? "" : ", ") + label;
    }
    table += fmt::format("| `{}` | {} | {} | {} |\n", family.name, type, names, family.help);
  }
  return table;
}

// The first table below the heading `heading` of a Markdown file; "" when there is none.
inline std::string DocumentedTable(const std::string& path, const std::string& heading) {
  std::ifstream file(path);
  std::string line;
  std::string table;
  bool below = false;
  while (std::getline(file, line)) {
    if (line.starts_with("#")) {
      below = line == heading;
    } else if (below && line.starts_with("|")) {
      table += line + "\n";
    } else if (!table.empty()) {
      break;
    }
  }
  return table;
}

}  // namespace oombox
