#pragma once

#include <chrono>
#include <functional>

namespace oombox {

// Pauses between attempts: exponential with full jitter, so that agents that lost the same
// collector do not come back at the same moment. Not thread-safe.
class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds initial{500};
    std::chrono::milliseconds max{30'000};
  };

  // `random` gives a number in [0, 1).
  Backoff(Options options, std::function<double()> random);

  // A pause anywhere between nothing and the current bound, which then doubles up to `max`.
  std::chrono::milliseconds Next();
  void Reset() { bound_ = options_.initial; }

 private:
  const Options options_;
  const std::function<double()> random_;
  std::chrono::milliseconds bound_;
};

// A source of randomness for Backoff, seeded by the system.
std::function<double()> SystemRandom();

}  // namespace oombox
