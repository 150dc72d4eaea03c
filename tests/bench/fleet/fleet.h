#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace oombox {

// Many agents in one process, as far as a collector sees them: each has a store, the real uplink
// with the real pauses between attempts, and a connection of its own. Used by one thread.
class Fleet {
 public:
  Fleet(size_t agents, const std::string& collector);
  ~Fleet();

  void Start();
  // `count` new events at one agent.
  void Insert(size_t agent, uint64_t count);
  // `count` new events, spread over all.
  void InsertEverywhere(uint64_t count);

  size_t size() const { return agents_.size(); }
  size_t Connected() const;
  uint64_t Unacknowledged(size_t agent) const;
  // All agents but `but`.
  uint64_t UnacknowledgedBut(size_t but) const;
  uint64_t Unacknowledged() const { return UnacknowledgedBut(size()); }

  uint64_t inserted() const { return inserted_; }  // ids are 0 .. inserted() - 1
  uint64_t Sent() const;
  uint64_t Rejected() const;

 private:
  class Agent;

  uint64_t inserted_ = 0;
  std::vector<std::unique_ptr<Agent>> agents_;
};

}  // namespace oombox
