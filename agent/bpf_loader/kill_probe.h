#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "bpf/oombox_abi.h"

namespace oombox {

// A feature that this kernel does not give, with the reason, for people.
struct MissingFeature {
  std::string feature;
  std::string reason;
};

// The kill programs in the kernel: opened, fitted to this kernel by its BTF, loaded and attached by
// Load; detached by the destructor. Everything after Load works without any capability: the ring
// and the counters are mapped memory. Not thread-safe, except for Counters().
class KillProbe {
 public:
  struct Options {
    uint64_t ring_bytes = 4 << 20;  // a power of two and a multiple of the page size
  };

  // kUnavailable: this kernel or this environment cannot (no BTF, lockdown); kPermission: a
  // capability is missing. The message names cause and remedy.
  static Result<std::unique_ptr<KillProbe>> Load(const Options& options);
  virtual ~KillProbe() = default;

  // Ends the recording; ring and counters stay readable.
  virtual void Detach() = 0;

  virtual int ring_fd() const = 0;
  virtual uint64_t ring_bytes() const = 0;
  virtual oombox_kill_counters Counters() const = 0;
  virtual const std::vector<MissingFeature>& missing() const = 0;

  // Runs the kernel skipped because the program was running on that CPU already; absent where the
  // kernel does not tell (before 5.12) or does not let us ask.
  virtual std::optional<uint64_t> RecursionMisses() const = 0;
  // Time spent in the programs; absent unless kernel.bpf_stats_enabled is set.
  virtual std::optional<uint64_t> RunTimeNs() const = 0;
};

}  // namespace oombox
