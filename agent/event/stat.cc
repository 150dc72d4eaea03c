#include <algorithm>

#include "agent/event/assemble_parts.h"

namespace oombox {

namespace {

// How many bytes one is: memcg_page_state_unit() (mm/memcontrol.c).
uint64_t UnitBytes(StatItem item, const EventContext& context) {
  switch (item) {
    case StatItem::kSlabReclaimableBytes:
    case StatItem::kSlabUnreclaimableBytes:
    case StatItem::kPercpuBytes:
    case StatItem::kZswapBytes:
      return 1;
    case StatItem::kKernelStackKb:
      return 1024;
    default:
      return context.page_size;
  }
}

using Setter = void (v1::MemoryStat::*)(uint64_t);

struct Item {
  StatItem index;
  Setter set;
};

constexpr Item kItems[] = {
    {StatItem::kAnon, &v1::MemoryStat::set_anon_bytes},
    {StatItem::kFile, &v1::MemoryStat::set_file_bytes},
    {StatItem::kShmem, &v1::MemoryStat::set_shmem_bytes},
    {StatItem::kFileMapped, &v1::MemoryStat::set_file_mapped_bytes},
    {StatItem::kFileDirty, &v1::MemoryStat::set_file_dirty_bytes},
    {StatItem::kFileWriteback, &v1::MemoryStat::set_file_writeback_bytes},
    {StatItem::kInactiveAnon, &v1::MemoryStat::set_inactive_anon_bytes},
    {StatItem::kActiveAnon, &v1::MemoryStat::set_active_anon_bytes},
    {StatItem::kInactiveFile, &v1::MemoryStat::set_inactive_file_bytes},
    {StatItem::kActiveFile, &v1::MemoryStat::set_active_file_bytes},
    {StatItem::kUnevictable, &v1::MemoryStat::set_unevictable_bytes},
    {StatItem::kSlabReclaimableBytes, &v1::MemoryStat::set_slab_reclaimable_bytes},
    {StatItem::kSlabUnreclaimableBytes, &v1::MemoryStat::set_slab_unreclaimable_bytes},
    {StatItem::kKernelStackKb, &v1::MemoryStat::set_kernel_stack_bytes},
    {StatItem::kPageTables, &v1::MemoryStat::set_page_tables_bytes},
    {StatItem::kSecondaryPageTables, &v1::MemoryStat::set_secondary_page_tables_bytes},
    {StatItem::kPercpuBytes, &v1::MemoryStat::set_percpu_bytes},
    {StatItem::kSock, &v1::MemoryStat::set_sock_bytes},
    {StatItem::kVmalloc, &v1::MemoryStat::set_vmalloc_bytes},
    {StatItem::kKernel, &v1::MemoryStat::set_kernel_bytes},
    {StatItem::kZswapBytes, &v1::MemoryStat::set_zswap_bytes},
    {StatItem::kZswapped, &v1::MemoryStat::set_zswapped_bytes},
    {StatItem::kHugetlb, &v1::MemoryStat::set_hugetlb_bytes},
};

void FillStat(const CgroupStat& stat, const EventContext& context, v1::MemoryStat* out) {
  for (const Item& item : kItems) {
    if (const auto& counted = stat[item.index]) {
      // A counter that is not flushed on every CPU may be below zero for a while: the kernel shows
      // 0.
      const int64_t value = std::max<int64_t>(0, *counted);
      (out->*item.set)(static_cast<uint64_t>(value) * UnitBytes(item.index, context));
    }
  }
  // Linux 5.10 and 5.11 count huge pages there; which are as big as a page of page tables maps.
  const bool whole_huge_pages =
      context.kernel_release.starts_with("5.10.") || context.kernel_release.starts_with("5.11.");
  if (const auto& counted = stat[StatItem::kAnonThp]) {
    const auto value = static_cast<uint64_t>(std::max<int64_t>(0, *counted));
    const uint64_t pages_each = whole_huge_pages ? context.page_size / sizeof(uint64_t) : 1;
    out->set_anon_thp_bytes(value * pages_each * context.page_size);
  }
}

}  // namespace

void FillStats(const KillRecord& record, const EventContext& context, v1::OomEvent* out) {
  bool any = false;
  for (const CgroupStat& stat : record.stats) {
    const bool known = std::any_of(stat.values.begin(), stat.values.end(),
                                   [](const auto& value) { return value.has_value(); });
    for (v1::CgroupLevel& level : *out->mutable_cgroups()) {
      if (known && level.id() == stat.cgroup_id) {
        FillStat(stat, context, level.mutable_stat());
        any = true;
      }
    }
  }
  if (!any && !record.group_member) {
    AddMissing(
        out->mutable_quality(), "cgroups.stat",
        record.version < 2
            ? "recorded by an older version, which did not take it"
            : "since Linux 6.9 memory.stat is kept in an order that only kallsyms tells, and "
              "this kernel does not show it (CONFIG_KALLSYMS_ALL=n or kptr_restrict)");
  }
}

}  // namespace oombox
