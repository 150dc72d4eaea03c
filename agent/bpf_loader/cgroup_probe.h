#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/common/result.h"

namespace oombox {

// Tells of cgroups that appear and go, on a thread of its own. Not pinned: it ends with the agent.
class CgroupProbe {
 public:
  struct Notices {
    // The path is from the root of its hierarchy; on cgroup v1 once for each hierarchy.
    std::function<void(const std::string& path)> appeared;
    std::function<void(const std::string& path)> removed;
    std::function<void()> lost;  // some of them
  };

  // Loads and attaches; needs CAP_BPF and CAP_PERFMON. kUnavailable where the kernel refuses it.
  static Result<std::unique_ptr<CgroupProbe>> Load();
  virtual ~CgroupProbe() = default;  // ends the calls

  // Once. Needs no capability.
  virtual void Start(Notices notices) = 0;
};

}  // namespace oombox
