#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/pressure/watched.h"

namespace oombox {

// Who is read next of those that are due: what is near its limit at once, then the others for a
// while only: first what is held up, then what was never read, then what is far; of each the
// longest due. Who is left is still due afterwards, behind what has come near meanwhile. Not
// thread-safe; time is given.
class Turns {
 public:
  // Readings that are due so soon go together.
  static constexpr uint64_t kTogetherNs = 20'000'000;
  static constexpr uint64_t kFarAtOnceNs = 100'000'000;

  Turns(std::map<std::string, Watched>& watched, uint64_t now_ns) {
    for (auto& [path, one] : watched) {
      if (one.is_near()) {
        nearest_.push_back(&one);
      }
      if (one.due_ns() <= now_ns + kTogetherNs) {
        due_.push_back({RankOf(one, now_ns), &one});
      }
    }
    std::stable_sort(due_.begin(), due_.end(), [](const Due& a, const Due& b) {
      return a.rank != b.rank ? a.rank < b.rank : a.one->due_ns() < b.one->due_ns();
    });
    const size_t few = std::min(nearest_.size(), Watched::kFewNear);
    std::partial_sort(nearest_.begin(), nearest_.begin() + static_cast<std::ptrdiff_t>(few),
                      nearest_.end(),
                      [](const Watched* a, const Watched* b) { return a->IsNearerThan(*b); });
    nearest_.resize(few);
  }

  // Of all that are near, due or not, one of the kFewNear nearest. Where these are fewer, who is
  // far is so, too: it may be near by the reading that comes.
  bool IsOfTheNearest(const Watched& one) const {
    return nearest_.size() < Watched::kFewNear ||
           std::find(nearest_.begin(), nearest_.end(), &one) != nearest_.end();
  }
  // Null: none is left, or it is time to look again who is near.
  Watched* Next(uint64_t now_ns) {
    if (next_ == due_.size()) {
      return nullptr;
    }
    if (due_[next_].rank != Rank::kNear) {
      far_since_ns_ = far_since_ns_ == 0 ? now_ns : far_since_ns_;
      if (now_ns - far_since_ns_ > kFarAtOnceNs) {
        return nullptr;
      }
    }
    return due_[next_++].one;
  }

 private:
  enum class Rank { kNear, kHeldUp, kNew, kFar };
  struct Due {
    Rank rank = Rank::kFar;
    Watched* one = nullptr;
  };

  static Rank RankOf(const Watched& one, uint64_t now_ns) {
    return one.is_near()          ? Rank::kNear
           : one.IsHeldUp(now_ns) ? Rank::kHeldUp
           : one.was_read()       ? Rank::kFar
                                  : Rank::kNew;
  }

  std::vector<Due> due_;
  size_t next_ = 0;
  std::vector<const Watched*> nearest_;
  uint64_t far_since_ns_ = 0;
};

}  // namespace oombox
