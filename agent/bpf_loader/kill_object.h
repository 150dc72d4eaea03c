#pragma once

#include <cstdint>
#include <memory>

#include "agent/bpf_loader/kernel_features.h"
#include "agent/common/result.h"
#include "agent/common/unique_fd.h"

namespace oombox {

// The maps of the kill object that can outlive the process that made them.
struct KillMaps {
  UniqueFd ring;
  UniqueFd counters;
  UniqueFd attachment;
  UniqueFd triggers;
  UniqueFd victims;
  UniqueFd started;

  bool complete() const {
    return ring.valid() && counters.valid() && attachment.valid() && triggers.valid() &&
           victims.valid() && started.valid();
  }
};

// The attached programs: closing the links detaches them unless they are pinned.
struct KillLinks {
  UniqueFd signal;
  UniqueFd mark;
  UniqueFd deliver;
  // Invalid where the kernel has no such tracepoint.
  UniqueFd console;
  UniqueFd exec;
  UniqueFd fork;
  UniqueFd exit;
};

// Those without which a kill is lost: kept to ask the kernel how often it skipped them.
struct KillPrograms {
  UniqueFd signal;
  UniqueFd mark;
};

// The kill programs of this build, verified by the kernel and not yet attached. Needs CAP_BPF and
// CAP_PERFMON; one thread.
class KillObject {
 public:
  struct Options {
    uint64_t ring_bytes;
    KernelFeatures features;
    const KillMaps* reuse = nullptr;  // maps to share instead of making new ones
  };

  // kPermission, kUnavailable: with cause and remedy.
  static Result<std::unique_ptr<KillObject>> Load(const Options& options);
  virtual ~KillObject() = default;

  // Descriptors of their own: they stay when the object is destroyed.
  virtual Result<KillMaps> Maps() const = 0;
  virtual Result<KillPrograms> Programs() const = 0;

  // The signal program first: a mark without its signal would be taken for no kill.
  virtual Result<KillLinks> Attach() = 0;
};

// Tells one build's programs from another's: a hash of the object's bytes, never 0.
uint64_t KillObjectId();

}  // namespace oombox
