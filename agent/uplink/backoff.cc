#include "agent/uplink/backoff.h"

#include <algorithm>
#include <random>
#include <utility>

namespace oombox {

Backoff::Backoff(Options options, std::function<double()> random)
    : options_(options), random_(std::move(random)), bound_(options.initial) {}

std::chrono::milliseconds Backoff::Next() {
  const double pause = static_cast<double>(bound_.count()) * random_();
  bound_ = std::min(bound_ * 2, options_.max);
  return std::chrono::milliseconds(static_cast<int64_t>(pause));
}

std::function<double()> SystemRandom() {
  return [engine = std::minstd_rand(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0, 1)(engine);
  };
}

}  // namespace oombox
