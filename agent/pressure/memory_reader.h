#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/common/cgroup_tree.h"
#include "agent/common/result.h"
#include "agent/model/memory_sample.h"

namespace oombox {

// Reads what a memory cgroup's files say, v1 and v2. Keeps nothing open. Not thread-safe.
class MemoryReader {
 public:
  enum class Detail {
    kUsage,  // usage and limits: cheap
    kAll,    // and memory.stat, events, pressure, tasks: several times that
  };
  struct Reading {
    uint64_t cgroup_id = 0;                   // the inode number of its directory
    MemorySample sample = {};                 // its time is before the first file was read
    uint64_t until_ns = 0;                    // after the last
    std::optional<uint64_t> peak_bytes = {};  // ever: memory.peak (since Linux 5.19), v1 always
    bool has_psi = false;  // of Detail::kAll: memory.pressure is there and readable
    // Of the node: pages that kswapd looked at, for want of free memory and not because of a limit.
    std::optional<uint64_t> scanned_pages = {};
  };

  // `proc` is where the node's own numbers are.
  explicit MemoryReader(MemoryHierarchy hierarchy, std::string proc = "/proc");

  // kGone: it vanished, or has no memory controller. kUnavailable: it is there, and could not be
  // read now.
  Result<Reading> Read(const std::string& path, Detail detail) const;
  // Of an open cgroup: it has the memory controller.
  bool TellsUsage(int dir) const;
  // Of an open cgroup: something bounds it.
  bool HasLimit(int dir) const;
  // The node's own memory, from meminfo, pressure/memory and vmstat.
  Result<Reading> ReadNode() const;

 private:
  void ReadV1(const std::string& path, int dir, Detail detail, Reading& reading) const;

  const MemoryHierarchy hierarchy_;
  const std::string proc_;
  std::string pids_root_;  // v1: the pids controller's mount; empty: none
};

}  // namespace oombox
