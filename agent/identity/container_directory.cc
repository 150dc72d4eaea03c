#include "agent/identity/container_directory.h"

#include <utility>

namespace oombox {

namespace {

void KeepIfEmpty(std::string& value, std::string& old) {
  if (value.empty()) {
    value = std::move(old);
  }
}

// What was known and is not told this time.
void KeepKnown(RuntimeContainer& container, RuntimeContainer& old) {
  KeepIfEmpty(container.container_name, old.container_name);
  KeepIfEmpty(container.pod_name, old.pod_name);
  KeepIfEmpty(container.pod_uid, old.pod_uid);
  KeepIfEmpty(container.namespace_name, old.namespace_name);
  KeepIfEmpty(container.runtime_name, old.runtime_name);
  KeepIfEmpty(container.owner, old.owner);
  KeepIfEmpty(container.runtime_handler, old.runtime_handler);
  // A digest says less than the name the image was asked for by.
  if (container.image_name.starts_with("sha256:") && !old.image_name.empty()) {
    container.image_name.clear();
  }
  KeepIfEmpty(container.image_name, old.image_name);
  if (!container.memory_limit_bytes && !container.oom_score_adj) {  // of a listing
    container.memory_limit_bytes = old.memory_limit_bytes;
    container.oom_score_adj = old.oom_score_adj;
    container.knobs = std::move(old.knobs);
    container.exit = container.exit ? container.exit : std::move(old.exit);
  }
}

}  // namespace

void ContainerDirectory::Put(RuntimeContainer container, Time now) {
  Forget(now);
  const std::string id = container.container_id;
  auto found = known_.find(id);
  if (found == known_.end()) {
    if (id.empty() || there() >= limits_.there) {
      ++refused_;
      return;
    }
    known_.emplace(id, Entry{.container = std::move(container)});
    return;
  }
  Entry& entry = found->second;
  if (entry.gone_at) {
    gone_.erase({*entry.gone_at, id});
    entry.gone_at.reset();
  }
  KeepKnown(container, entry.container);
  entry.container = std::move(container);
}

void ContainerDirectory::PutAll(std::vector<RuntimeContainer> all, Time now) {
  std::set<std::string> listed;
  for (RuntimeContainer& container : all) {
    listed.insert(container.container_id);
    Put(std::move(container), now);
  }
  for (const auto& [id, entry] : known_) {
    if (!entry.gone_at && !listed.contains(id)) {
      Gone(id, now);
    }
  }
}

void ContainerDirectory::Gone(const std::string& container_id, Time now) {
  const auto found = known_.find(container_id);
  if (found != known_.end() && !found->second.gone_at) {
    found->second.gone_at = now;
    gone_.emplace(now, container_id);
  }
}

void ContainerDirectory::Forget(Time now) {
  while (!gone_.empty() &&
         (gone_.size() > limits_.gone || gone_.begin()->first + limits_.remember < now)) {
    known_.erase(gone_.begin()->second);
    gone_.erase(gone_.begin());
  }
}

const RuntimeContainer* ContainerDirectory::Find(const std::string& container_id, Time now) {
  Forget(now);
  const auto found = known_.find(container_id);
  return found == known_.end() ? nullptr : &found->second.container;
}

}  // namespace oombox
