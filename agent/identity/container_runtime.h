#pragma once

#include <string>
#include <vector>

#include "agent/common/result.h"
#include "agent/model/runtime_container.h"

namespace oombox {

// The container runtime of this node. Its answers are untrusted. One caller at a time; Stop from
// any thread.
class ContainerRuntime {
 public:
  virtual ~ContainerRuntime() = default;

  // Every container and sandbox it knows, ended ones too, without what only Find tells.
  virtual Result<std::vector<RuntimeContainer>> List() = 0;
  // All that it knows of one; kNotFound when it is not there. Other errors: ask again later.
  virtual Result<RuntimeContainer> Find(const std::string& container_id) = 0;
  // Ends a call under way and all later ones with kUnavailable.
  virtual void Stop() = 0;
};

}  // namespace oombox
