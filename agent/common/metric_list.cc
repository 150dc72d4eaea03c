#include "agent/common/metric_list.h"

#include <algorithm>
#include <limits>

namespace oombox {

prometheus::ClientMetric& MetricList::Add(const std::string& name, const std::string& help,
                                          prometheus::MetricType type, const Labels& labels) {
  auto family = std::find_if(families_.begin(), families_.end(),
                             [&](const auto& known) { return known.name == name; });
  if (family == families_.end()) {
    families_.push_back({.name = name, .help = help, .type = type});
    family = std::prev(families_.end());
  }
  prometheus::ClientMetric& metric = family->metric.emplace_back();
  for (const auto& [label, value] : labels) {
    metric.label.push_back({label, value});
  }
  return metric;
}

void MetricList::Counter(const std::string& name, const std::string& help, double value,
                         const Labels& labels) {
  Add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricList::Gauge(const std::string& name, const std::string& help, double value,
                       const Labels& labels) {
  Add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricList::Histogram(const std::string& name, const std::string& help,
                           const oombox::Histogram::Values& values, double per_unit) {
  auto& histogram = Add(name, help, prometheus::MetricType::Histogram, {}).histogram;
  histogram.sample_sum = static_cast<double>(values.sum) / per_unit;
  bool ended = false;
  for (const oombox::Histogram::Bucket& bucket : values.buckets) {
    // Prometheus' buckets are cumulative.
    histogram.sample_count += bucket.count;
    ended = bucket.upper == 0;
    histogram.bucket.push_back(
        {histogram.sample_count, ended ? std::numeric_limits<double>::infinity()
                                       : static_cast<double>(bucket.upper) / per_unit});
  }
  if (!ended) {  // a histogram without its last bucket is none
    histogram.bucket.push_back({histogram.sample_count, std::numeric_limits<double>::infinity()});
  }
}

}  // namespace oombox
