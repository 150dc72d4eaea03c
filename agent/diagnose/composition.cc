#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "agent/diagnose/parts.h"
#include "agent/diagnose/words.h"

namespace oombox {

namespace {

// The level whose limit fired; the victim's own when that is not known.
const v1::CgroupLevel* LevelOf(const v1::OomEvent& oom) {
  const uint32_t level = oom.limit_hit().level();  // an agent's or a file's word
  if (oom.scope() == v1::OOM_SCOPE_NODE || level >= static_cast<uint32_t>(oom.cgroups_size())) {
    return nullptr;
  }
  return &oom.cgroups(static_cast<int>(level));
}

struct Holder {
  std::string name;
  uint64_t bytes;
};

// What holds memory without being a process's own, the most first.
std::vector<Holder> HoldersBesideProcesses(const v1::MemoryStat& stat) {
  const uint64_t shmem = stat.shmem_bytes();
  const uint64_t file = stat.file_bytes() - std::min(stat.file_bytes(), shmem);
  const uint64_t kernel = stat.has_kernel_bytes()
                              ? stat.kernel_bytes()
                              : stat.slab_reclaimable_bytes() + stat.slab_unreclaimable_bytes() +
                                    stat.kernel_stack_bytes() + stat.page_tables_bytes() +
                                    stat.percpu_bytes() + stat.vmalloc_bytes();
  std::vector<Holder> holders = {{"files in tmpfs or shared memory", shmem},
                                 {"page cache of files", file},
                                 {"the kernel on its behalf", kernel},
                                 {"socket buffers", stat.sock_bytes()},
                                 {"huge pages", stat.hugetlb_bytes()}};
  std::sort(holders.begin(), holders.end(),
            [](const Holder& a, const Holder& b) { return a.bytes > b.bytes; });
  return holders;
}

}  // namespace

void DiagnoseComposition(const v1::OomEvent& oom, v1::Diagnosis* diagnosis) {
  constexpr uint64_t kWorthSayingPercent = 20;
  const v1::CgroupLevel* level = LevelOf(oom);
  if (level == nullptr || !level->has_usage_bytes() || !level->has_stat() ||
      !level->stat().has_anon_bytes()) {
    return;
  }
  for (const Holder& holder : HoldersBesideProcesses(level->stat())) {
    if (holder.bytes * 100 >= level->usage_bytes() * kWorthSayingPercent) {
      AddEvidence(
          v1::Evidence::WEIGHT_FOR,
          fmt::format("{} hold {}", holder.name, ShareWords(holder.bytes, level->usage_bytes())),
          "at kill", diagnosis);
    }
  }
}

}  // namespace oombox
