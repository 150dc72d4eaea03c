#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace oombox {

// Cgroups that were made just now and have no limit yet: whoever makes one sets it soon after, so
// each is looked at a few times. Bounded: who finds no room is found by the next scan. Not
// thread-safe; time is given.
class FreshCgroups {
 public:
  static constexpr std::array<uint64_t, 3> kLookAtNs = {20'000'000, 200'000'000, 1'500'000'000};
  static constexpr size_t kMax = 4096;

  void Add(const std::string& path, uint64_t now_ns) {
    if (fresh_.size() < kMax) {
      fresh_[path] = {.due_ns = now_ns + kLookAtNs.front()};
    }
  }
  void Erase(const std::string& path) { fresh_.erase(path); }
  uint64_t NextDue() const {
    uint64_t due = std::numeric_limits<uint64_t>::max();
    for (const auto& [path, fresh] : fresh_) {
      due = std::min(due, fresh.due_ns);
    }
    return due;
  }
  std::vector<std::string> TakeDue(uint64_t now_ns) {
    std::vector<std::string> due;
    for (auto it = fresh_.begin(); it != fresh_.end();) {
      if (it->second.due_ns > now_ns) {
        ++it;
        continue;
      }
      due.push_back(it->first);
      if (++it->second.looked < kLookAtNs.size()) {
        it->second.due_ns = now_ns + kLookAtNs[it->second.looked];
        ++it;
      } else {
        it = fresh_.erase(it);
      }
    }
    return due;
  }

 private:
  struct Fresh {
    uint64_t due_ns = 0;
    size_t looked = 0;
  };
  std::map<std::string, Fresh> fresh_;
};

}  // namespace oombox
