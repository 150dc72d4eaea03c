#pragma once

#include <memory>
#include <string>

#include "agent/common/result.h"
#include "tools/memhog/hierarchy.h"

namespace oombox {

// Makes a cgroup able to have children with a memory limit, for as long as it lives. Nothing to do
// on v1. On v2 it enables the controller in `parent`; when processes in the parent are in the way
// (no-internal-processes rule, cgroup-v2.rst) and this process is one of them, it moves itself to a
// leaf below. The destructor undoes both. One thread only.
class Delegation {
 public:
  // kUnavailable with a remedy when the controller cannot be had there.
  static Result<std::unique_ptr<Delegation>> Prepare(const Hierarchy& hierarchy,
                                                     const std::string& parent,
                                                     const std::string& leaf_name);
  ~Delegation();
  Delegation(const Delegation&) = delete;
  Delegation& operator=(const Delegation&) = delete;

 private:
  Delegation(std::string directory, std::string leaf)
      : directory_(std::move(directory)), leaf_(std::move(leaf)) {}
  Status Enable();
  Status MoveSelfToLeaf();

  const std::string directory_;
  const std::string leaf_;
  bool enabled_ = false;
  bool moved_ = false;
};

}  // namespace oombox
