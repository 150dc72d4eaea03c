#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/common/result.h"
#include "tools/collector/agent_link.h"

namespace oombox {

// The agents that are connected now: one link per node. Thread-safe.
class AgentRegistry {
 public:
  explicit AgentRegistry(size_t max_agents) : max_agents_(max_agents) {}

  // Returns the older link of the same node, if there is one: it is replaced. kExhausted: full.
  Result<std::shared_ptr<AgentLink>> Add(std::shared_ptr<AgentLink> link);
  // True when it was there (and not replaced meanwhile).
  bool Remove(const AgentLink& link);

  bool Connected(const v1::NodeIdentity& node) const;
  // kNotFound: not connected. kAmbiguous: two clusters have a node of that name.
  Result<std::shared_ptr<AgentLink>> Find(const std::string& node_name) const;
  std::vector<std::shared_ptr<AgentLink>> All() const;
  size_t size() const;

 private:
  using Key = std::pair<std::string, std::string>;  // node name, cluster
  static Key KeyOf(const v1::NodeIdentity& node) { return {node.node_name(), node.cluster_name()}; }

  const size_t max_agents_;
  mutable std::mutex mutex_;
  std::map<Key, std::shared_ptr<AgentLink>> links_;
};

}  // namespace oombox
