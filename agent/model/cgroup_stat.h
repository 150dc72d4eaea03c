#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace oombox {

// What memory.stat counts, in the order of enum oombox_stat_item (bpf/oombox_abi_cgroup.h). Pages,
// unless the name says otherwise.
enum class StatItem : size_t {
  kAnon,
  kAnonThp,
  kFile,
  kShmem,
  kFileMapped,
  kFileDirty,
  kFileWriteback,
  kInactiveAnon,
  kActiveAnon,
  kInactiveFile,
  kActiveFile,
  kUnevictable,
  kSlabReclaimableBytes,
  kSlabUnreclaimableBytes,
  kKernelStackKb,
  kPageTables,
  kSecondaryPageTables,
  kPercpuBytes,
  kSock,
  kVmalloc,
  kKernel,
  kZswapBytes,
  kZswapped,
  kHugetlb,
  kCount,
};

// memory.stat of a cgroup; absent: the kernel does not tell.
struct CgroupStat {
  uint64_t cgroup_id = 0;
  std::array<std::optional<int64_t>, static_cast<size_t>(StatItem::kCount)> values = {};

  std::optional<int64_t>& operator[](StatItem item) { return values[static_cast<size_t>(item)]; }
  const std::optional<int64_t>& operator[](StatItem item) const {
    return values[static_cast<size_t>(item)];
  }
};

}  // namespace oombox
