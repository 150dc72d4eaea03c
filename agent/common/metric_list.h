#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "agent/common/histogram.h"

namespace oombox {

// Collects samples into metric families. Names are complete (base unit, _total for a counter); a
// name that comes again adds a sample with other labels to its family and keeps the first help.
class MetricList {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  void Counter(const std::string& name, const std::string& help, double value,
               const Labels& labels = {});
  void Gauge(const std::string& name, const std::string& help, double value,
             const Labels& labels = {});
  // `per_unit` of the histogram's values make one of the name's unit (1e9 ns make a second).
  void Histogram(const std::string& name, const std::string& help,
                 const oombox::Histogram::Values& values, double per_unit);

  std::vector<prometheus::MetricFamily> Take() { return std::move(families_); }

 private:
  prometheus::ClientMetric& Add(const std::string& name, const std::string& help,
                                prometheus::MetricType type, const Labels& labels);

  std::vector<prometheus::MetricFamily> families_;
};

inline constexpr double kNsPerSecond = 1e9;

}  // namespace oombox
