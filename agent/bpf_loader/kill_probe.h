#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/common/result.h"
#include "bpf/oombox_pinned.h"

namespace oombox {

// A feature that this kernel or this machine does not give, with the reason, for people.
struct MissingFeature {
  std::string feature;
  std::string reason;
};

// How the programs came to be attached.
struct AttachInfo {
  std::string pin_path = {};  // empty: not pinned
  // Programs were in the kernel already and have been recording: the counts go on.
  bool adopted = false;
  // They were another build's and have been replaced without a pause.
  bool replaced = false;
};

// The ring of another layout, or of incomplete pins of this one, whose programs are detached: to be
// read to its end.
struct LeftoverRing {
  int abi = 0;
  int fd = -1;
  uint64_t bytes = 0;
  // Its programs recorded until ours were attached: what was seen in between is in both rings.
  bool recorded_beside = true;
};

// The kill programs in the kernel. Load fits them to this kernel by its BTF and attaches them, or
// adopts those that an earlier agent left pinned. Pinned, they go on recording when this object and
// its process end; otherwise the destructor detaches them. Everything after Load works without any
// capability: ring, counters and attachment are mapped memory. Not thread-safe, except for
// Counters() and RecursionMisses().
class KillProbe {
 public:
  struct Options {
    uint64_t ring_bytes = 4 << 20;         // a power of two and a multiple of the page size
    std::string pin_dir;                   // a folder in bpffs; empty: not pinned
    uint64_t rank_budget_ns = 20'000'000;  // per second; 0: no ranking
  };

  // kUnavailable: this kernel or this environment cannot (no BTF, lockdown); kPermission: a
  // capability is missing; kExhausted: another agent holds the pins. The message names cause and
  // remedy.
  static Result<std::unique_ptr<KillProbe>> Load(const Options& options);
  virtual ~KillProbe() = default;

  // Ends the recording, unless it is pinned; ring and counters stay readable.
  virtual void Detach() = 0;

  virtual int ring_fd() const = 0;
  virtual uint64_t ring_bytes() const = 0;
  virtual oombox_kill_counters Counters() const = 0;
  virtual const AttachInfo& info() const = 0;
  virtual const std::vector<MissingFeature>& missing() const = 0;
  // What agents have noted of this attachment; lives as long as it. One writer at a time.
  virtual oombox_attachment& attachment() const = 0;

  // Rings of other layouts; each is removed once it has been read.
  virtual const std::vector<LeftoverRing>& leftovers() const = 0;
  virtual Status RemoveLeftover(const LeftoverRing& ring) const = 0;

  // Signals and marks the kernel skipped because the program was running on that CPU already: each
  // may have been a kill's. Absent where the kernel does not tell (before 5.12) or does not let us
  // ask.
  virtual std::optional<uint64_t> RecursionMisses() const = 0;
};

// Removes all pins below `pin_dir`: the kernel records no longer. kUnavailable: an agent runs.
Status RemovePins(const std::string& pin_dir);

}  // namespace oombox
