#include "agent/common/histogram.h"

#include <algorithm>

namespace oombox {

Histogram::Histogram(std::span<const uint64_t> bounds)
    : bounds_(bounds.begin(), bounds.first(std::min(bounds.size(), kMaxBounds)).end()) {}

void Histogram::Record(uint64_t value) {
  // The first bound that is not below the value: upper bounds are inclusive.
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
  uint64_t max = max_.load(std::memory_order_relaxed);
  while (value > max && !max_.compare_exchange_weak(max, value, std::memory_order_relaxed)) {
  }
}

Histogram::Values Histogram::Snapshot() const {
  Values values;
  values.sum = sum_.load(std::memory_order_relaxed);
  values.max = max_.load(std::memory_order_relaxed);
  values.buckets.reserve(bounds_.size() + 1);
  for (size_t i = 0; i <= bounds_.size(); ++i) {
    const uint64_t count = counts_[i].load(std::memory_order_relaxed);
    values.buckets.push_back({i < bounds_.size() ? bounds_[i] : 0, count});
    values.count += count;
  }
  return values;
}

}  // namespace oombox
