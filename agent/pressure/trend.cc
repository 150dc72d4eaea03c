#include "agent/pressure/trend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace oombox {

namespace {

constexpr double kNsPerSecond = 1e9;
constexpr size_t kFewest = 4;
constexpr uint64_t kShortestNs = 2'000'000'000;
constexpr std::array<uint64_t, 3> kWindowsNs = {60'000'000'000, 600'000'000'000, 3'600'000'000'000};
// Share of the readings' variance that a line explains.
constexpr double kFitsWell = 0.95;
constexpr double kFits = 0.80;
// Each CPU counts what it takes in batches (MEMCG_CHARGE_BATCH pages, mm/memcontrol.c): a change of
// less in a whole window is none.
constexpr double kResolutionBytes = 64 * 4096;
// Nobody waits longer than that for a limit.
constexpr double kFarSeconds = 90.0 * 86400;

using Series = std::optional<uint64_t> (*)(const MemorySample&);

std::optional<uint64_t> Unreclaimable(const MemorySample& sample) {
  if (!sample.anon_bytes) {
    return std::nullopt;
  }
  const uint64_t slab = sample.slab_reclaimable_bytes.value_or(UINT64_MAX);
  const uint64_t kernel = sample.kernel_bytes.value_or(0);
  const uint64_t parts = *sample.anon_bytes + sample.shmem_bytes.value_or(0) +
                         (kernel - std::min(kernel, slab)) + sample.sock_bytes.value_or(0);
  return std::min(parts, sample.usage_bytes.value_or(parts));
}

std::optional<uint64_t> WorkingSet(const MemorySample& sample) { return sample.working_set_bytes; }

std::optional<uint64_t> Usage(const MemorySample& sample) { return sample.usage_bytes; }

// One series for all readings, since a change from one to another is no growth: the best that any
// of them knows. Far from a limit most are of the usage alone.
Series SeriesOf(const std::vector<MemorySample>& points, bool whole_node) {
  for (const Series series : {Unreclaimable, WorkingSet}) {
    if (whole_node && series == Unreclaimable) {
      continue;
    }
    if (std::any_of(points.begin(), points.end(), series)) {
      return series;
    }
  }
  return Usage;
}

const MemorySample* LastOf(const std::vector<MemorySample>& points, Series series) {
  const auto found = std::find_if(points.rbegin(), points.rend(), series);
  return found == points.rend() ? nullptr : &*found;
}

// Of the limit's room.
uint64_t HeldAt(const MemorySample& sample, Series series) {
  const bool lacks_kernel = series == Unreclaimable && !sample.slab_reclaimable_bytes;
  return *series(sample) + (lacks_kernel ? sample.kernel_bytes.value_or(0) : 0);
}

struct Fit {
  double slope = 0;      // bytes per second
  double explained = 0;  // share of the variance
  size_t count = 0;
  uint64_t span_ns = 0;
};

// Least squares, around the first reading: the numbers stay small.
Fit FitLine(std::span<const MemorySample> points, Series series) {
  Fit fit;
  double sum_t = 0;
  double sum_y = 0;
  double sum_tt = 0;
  double sum_ty = 0;
  double sum_yy = 0;
  std::optional<double> first;
  uint64_t first_ns = 0;
  for (const MemorySample& point : points) {
    const auto held = series(point);
    if (!held) {
      continue;
    }
    first_ns = first ? first_ns : point.boottime_ns;
    fit.span_ns = point.boottime_ns - first_ns;
    first = first.value_or(static_cast<double>(*held));
    const double t =
        static_cast<double>(point.boottime_ns - points.front().boottime_ns) / kNsPerSecond;
    const double y = static_cast<double>(*held) - *first;
    ++fit.count;
    sum_t += t;
    sum_y += y;
    sum_tt += t * t;
    sum_ty += t * y;
    sum_yy += y * y;
  }
  const auto n = static_cast<double>(fit.count);
  const double var_t = n * sum_tt - sum_t * sum_t;
  const double var_y = n * sum_yy - sum_y * sum_y;
  const double both = n * sum_ty - sum_t * sum_y;
  if (fit.count < 2 || var_t <= 0) {
    return fit;
  }
  const double slope = both / var_t;
  const double change = std::abs(slope) * static_cast<double>(fit.span_ns) / kNsPerSecond;
  fit.slope = change < kResolutionBytes ? 0 : slope;
  fit.explained = var_y > 0 ? both * both / (var_t * var_y) : 1;
  return fit;
}

// What a program takes at its start is one step between two readings, most of the whole change, and
// level before and after. At least two readings know the series.
bool IsOneStep(std::span<const MemorySample> points, Series series) {
  std::vector<double> held;
  for (const MemorySample& point : points) {
    if (const auto value = series(point)) {
      held.push_back(static_cast<double>(*value));
    }
  }
  size_t step = 1;
  for (size_t i = 1; i < held.size(); ++i) {
    if (std::abs(held[i] - held[i - 1]) > std::abs(held[step] - held[step - 1])) {
      step = i;
    }
  }
  const double height = std::abs(held[step] - held[step - 1]);
  if (height < kResolutionBytes || 2 * height <= std::abs(held.back() - held.front())) {
    return false;
  }
  const auto is_level = [](auto begin, auto end) {
    const auto [lowest, highest] = std::minmax_element(begin, end);
    return *highest - *lowest < kResolutionBytes;
  };
  const auto after = held.begin() + static_cast<std::ptrdiff_t>(step);
  return is_level(held.begin(), after) && is_level(after, held.end());
}

TrendConfidence ConfidenceOf(const Fit& fit) {
  if (fit.explained >= kFitsWell && fit.count >= 2 * kFewest) {
    return TrendConfidence::kHigh;
  }
  return fit.explained >= kFits ? TrendConfidence::kMedium : TrendConfidence::kLow;
}

}  // namespace

std::optional<MemoryTrend> TrendOf(const std::vector<MemorySample>& points, bool whole_node) {
  const Series series = SeriesOf(points, whole_node);
  std::optional<MemoryTrend> trend;
  bool is_flat = false;
  for (const uint64_t window : kWindowsNs) {
    size_t begin = points.size();
    while (begin > 0 && points[begin - 1].boottime_ns + window >= points.back().boottime_ns) {
      --begin;
    }
    const std::span<const MemorySample> recent = std::span(points).subspan(begin);
    if (recent.size() < kFewest) {
      continue;
    }
    Fit fit = FitLine(recent, series);
    if (fit.count < kFewest || fit.span_ns < kShortestNs) {
      continue;
    }
    fit.slope = IsOneStep(recent, series) ? 0 : fit.slope;
    const TrendConfidence confidence = ConfidenceOf(fit);
    if (is_flat && (confidence == TrendConfidence::kLow || !(fit.slope > 0))) {
      continue;
    }
    trend = MemoryTrend{
        .growth_bytes_per_second = fit.slope, .window_ns = fit.span_ns, .confidence = confidence};
    is_flat = is_flat || fit.slope == 0;
    if (confidence != TrendConfidence::kLow && fit.slope != 0) {
      break;
    }
  }
  if (!trend || !(trend->growth_bytes_per_second > 0)) {
    return trend;
  }
  const MemorySample* last = LastOf(points, series);
  if (const auto limit = points.back().limit_bytes; last != nullptr && limit) {
    const uint64_t left = *limit - std::min(HeldAt(*last, series), *limit);
    const double seconds = static_cast<double>(left) / trend->growth_bytes_per_second;
    if (seconds < kFarSeconds) {
      trend->seconds_to_limit = seconds;
    }
  }
  return trend;
}

}  // namespace oombox
