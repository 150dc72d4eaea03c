#include "tools/collector/agent_registry.h"

#include <iterator>

namespace oombox {

Result<std::shared_ptr<AgentLink>> AgentRegistry::Add(std::shared_ptr<AgentLink> link) {
  std::lock_guard lock(mutex_);
  const Key key = KeyOf(link->node());
  const auto found = links_.find(key);
  if (found != links_.end()) {
    return std::exchange(found->second, std::move(link));
  }
  if (links_.size() >= max_agents_) {
    return MakeError(ErrorCode::kExhausted,
                     "{} agents are connected already: raise max-agents of the collector",
                     max_agents_);
  }
  links_.emplace(key, std::move(link));
  return std::shared_ptr<AgentLink>();
}

bool AgentRegistry::Remove(const AgentLink& link) {
  std::lock_guard lock(mutex_);
  const auto found = links_.find(KeyOf(link.node()));
  if (found == links_.end() || found->second.get() != &link) {
    return false;
  }
  links_.erase(found);
  return true;
}

bool AgentRegistry::Connected(const v1::NodeIdentity& node) const {
  std::lock_guard lock(mutex_);
  return links_.contains(KeyOf(node));
}

Result<std::shared_ptr<AgentLink>> AgentRegistry::Find(const std::string& node_name) const {
  std::lock_guard lock(mutex_);
  const auto first = links_.lower_bound({node_name, ""});
  if (first == links_.end() || first->first.first != node_name) {
    return MakeError(ErrorCode::kNotFound, "node {} is not connected", node_name);
  }
  const auto second = std::next(first);
  if (second != links_.end() && second->first.first == node_name) {
    return MakeError(ErrorCode::kAmbiguous, "clusters \"{}\" and \"{}\" both have a node {}",
                     first->first.second, second->first.second, node_name);
  }
  return first->second;
}

size_t AgentRegistry::size() const {
  std::lock_guard lock(mutex_);
  return links_.size();
}

std::vector<std::shared_ptr<AgentLink>> AgentRegistry::All() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<AgentLink>> links;
  for (const auto& [key, link] : links_) {
    links.push_back(link);
  }
  return links;
}

}  // namespace oombox
