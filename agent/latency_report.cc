#include "agent/latency_report.h"

namespace oombox {

v1::LatencyReport ToLatencyReport(const Histogram::Values& values) {
  v1::LatencyReport report;
  report.set_count(values.count);
  report.set_sum_ns(values.sum);
  report.set_max_ns(values.max);
  for (const Histogram::Bucket& bucket : values.buckets) {
    v1::LatencyReport::Bucket& added = *report.add_buckets();
    added.set_upper_ns(bucket.upper);
    added.set_count(bucket.count);
  }
  return report;
}

Histogram::Values FromLatencyReport(const v1::LatencyReport& report) {
  Histogram::Values values{.count = report.count(), .sum = report.sum_ns(), .max = report.max_ns()};
  for (const v1::LatencyReport::Bucket& bucket : report.buckets()) {
    values.buckets.push_back({bucket.upper_ns(), bucket.count()});
  }
  return values;
}

}  // namespace oombox
