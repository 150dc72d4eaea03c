#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace oombox {

// Counts values in buckets with fixed upper bounds. Record is lock-free and never allocates, so
// that the kill path can afford it. Thread-safe; a snapshot taken while others record may hold a
// value in `sum` or `max` that is not in the buckets yet, or the other way round, never half of
// one.
class Histogram {
 public:
  static constexpr size_t kMaxBounds = 24;

  // `bounds` grow; at most kMaxBounds of them count. Values above the last have a bucket of their
  // own.
  explicit Histogram(std::span<const uint64_t> bounds);

  void Record(uint64_t value);

  struct Bucket {
    uint64_t upper = 0;  // inclusive; 0 for the last, which has none
    uint64_t count = 0;  // in this bucket alone
  };
  struct Values {
    uint64_t count = 0;  // of all buckets
    uint64_t sum = 0;
    uint64_t max = 0;
    std::vector<Bucket> buckets = {};
  };
  Values Snapshot() const;

 private:
  const std::vector<uint64_t> bounds_;
  std::array<std::atomic<uint64_t>, kMaxBounds + 1> counts_ = {};
  std::atomic<uint64_t> sum_ = 0;
  std::atomic<uint64_t> max_ = 0;
};

}  // namespace oombox
