#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/model/runtime_container.h"

namespace oombox {

// The containers of this node that are known by name, with the memory of what is gone: who is
// killed may be removed before anybody asks. Not thread-safe; time is given.
class ContainerDirectory {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Limits {
    size_t there = 8192;  // more are not learned
    size_t gone = 1024;   // the longest gone are forgotten first
    std::chrono::seconds remember{600};
  };

  explicit ContainerDirectory(Limits limits) : limits_(limits) {}

  // New or better known. What a listing does not tell (limit, knobs, exit) stays as it was.
  void Put(RuntimeContainer container, Time now);
  // The runtime's whole list: who is not on it is gone.
  void PutAll(std::vector<RuntimeContainer> all, Time now);
  void Gone(const std::string& container_id, Time now);

  // Null when it is not known, or gone for too long.
  const RuntimeContainer* Find(const std::string& container_id, Time now);

  size_t there() const { return known_.size() - gone_.size(); }
  size_t gone() const { return gone_.size(); }
  uint64_t refused() const { return refused_; }  // there were too many

 private:
  struct Entry {
    RuntimeContainer container = {};
    std::optional<Time> gone_at = {};
  };
  void Forget(Time now);

  const Limits limits_;
  std::map<std::string, Entry> known_;
  std::set<std::pair<Time, std::string>> gone_;  // the longest first
  uint64_t refused_ = 0;
};

}  // namespace oombox
