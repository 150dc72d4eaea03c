#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace oombox {

// The highest of a value over the last minute. Holds only what may still become the highest.
class MinuteMax {
 public:
  static constexpr uint64_t kSpanNs = 60'000'000'000;

  void Add(uint64_t now_ns, uint64_t value) {
    while (!values_.empty() && values_.back().value <= value) {
      values_.pop_back();
    }
    values_.push_back({now_ns, value});
  }
  std::optional<uint64_t> Get(uint64_t now_ns) {
    while (!values_.empty() && values_.front().at_ns + kSpanNs < now_ns) {
      values_.pop_front();
    }
    return values_.empty() ? std::nullopt : std::optional(values_.front().value);
  }

 private:
  struct Value {
    uint64_t at_ns;
    uint64_t value;
  };
  std::deque<Value> values_;
};

// What share of the last seconds a growing sum of times took. Percent; more than 100 where it is
// the sum of several tasks' times.
class ShareOfTime {
 public:
  static constexpr uint64_t kSpanNs = 61'000'000'000;

  // A sum that became smaller began anew.
  void Add(uint64_t now_ns, uint64_t sum_ns) {
    if (!sums_.empty() && sum_ns < sums_.back().sum_ns) {
      sums_.clear();
    }
    sums_.push_back({now_ns, sum_ns});
    while (sums_.size() > 1 && sums_[1].at_ns + kSpanNs < now_ns) {
      sums_.pop_front();
    }
  }
  double Get(uint64_t now_ns, uint64_t window_ns) const {
    if (sums_.empty()) {
      return 0;
    }
    const uint64_t from = now_ns > window_ns ? now_ns - window_ns : 0;
    uint64_t before = sums_.front().sum_ns;
    for (const Sum& sum : sums_) {
      if (sum.at_ns > from) {
        break;
      }
      before = sum.sum_ns;
    }
    return 100.0 * static_cast<double>(sums_.back().sum_ns - before) /
           static_cast<double>(window_ns);
  }

 private:
  struct Sum {
    uint64_t at_ns;
    uint64_t sum_ns;
  };
  std::deque<Sum> sums_;
};

}  // namespace oombox
