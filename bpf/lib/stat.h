/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.stat of a cgroup, in the layouts of all kernels:
 *
 *   up to 5.12    mem_cgroup.vmstats[item], an array
 *   up to 6.0     mem_cgroup.vmstats.state[item], a struct
 *   up to 6.8     mem_cgroup.vmstats->state[item]
 *   since 6.9     the same, compacted: the place of an item is in the static table mem_cgroup_stats_index,
 *                 which only kallsyms tells. Without it nothing is read: the index must not be guessed.
 *
 * The numbers are as of the last flush (cgroup_rstat_flush). The kernel flushes when it prints its report,
 * right before the kill; that report is rate-limited, so in a storm they may be up to 2 s old.
 */
#ifndef OOMBOX_LIB_STAT_H
#define OOMBOX_LIB_STAT_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/read.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/stat_place.h"
#include "bpf/oombox_abi.h"

static __always_inline __u64 state_address(struct mem_cgroup *memcg)
{
	struct mem_cgroup___before_5_13 *array = (void *)memcg;
	struct mem_cgroup___before_6_1 *embedded = (void *)memcg;

	if (bpf_core_field_exists(array->vmstats))
		return (__u64)memcg + bpf_core_field_offset(struct mem_cgroup___before_5_13, vmstats);
	if (bpf_core_field_exists(embedded->vmstats))
		return (__u64)memcg + bpf_core_field_offset(struct mem_cgroup___before_6_1, vmstats) +
		       bpf_core_field_offset(struct memcg_vmstats, state);
	return (__u64)READ(memcg, vmstats) +
	       bpf_core_field_offset(struct memcg_vmstats, state);
}

static __always_inline void take_stat(const struct scratch *s, struct oombox_stat *out, __u32 to,
				      __u64 item)
{
	__u64 place = stat_place(s, item);

	out->values[to] = 0;
	if (place >= STAT_ITEMS)
		return;
	out->values[to] = s->stat_state[place];
	out->known |= 1ULL << to;
}

/* memory.zswap.current: a statistic, not a counter. False: this kernel counts none, or hides where. */
static __always_inline bool read_zswap_usage(const struct scratch *s, __u64 *bytes,
					     struct mem_cgroup *memcg)
{
	__u64 place;

	*bytes = 0;
	if (!bpf_core_enum_value_exists(enum memcg_stat_item, MEMCG_ZSWAP_B))
		return false;
	place = stat_place(s, bpf_core_enum_value(enum memcg_stat_item, MEMCG_ZSWAP_B));
	return place != NO_INDEX &&
	       !bpf_probe_read_kernel(bytes, sizeof(*bytes),
				      (void *)(state_address(memcg) + place * sizeof(*bytes)));
}

#define NODE_STAT(to, item)                                                           \
	do {                                                                          \
		if (bpf_core_enum_value_exists(enum node_stat_item, item))            \
			take_stat(s, out, to, bpf_core_enum_value(enum node_stat_item, item));    \
	} while (0)
#define MEMCG_STAT(to, item)                                                          \
	do {                                                                          \
		if (bpf_core_enum_value_exists(enum memcg_stat_item, item))           \
			take_stat(s, out, to, bpf_core_enum_value(enum memcg_stat_item, item));   \
	} while (0)

static __always_inline void fill_stat_of(struct scratch *s, struct oombox_stat *out,
					 struct mem_cgroup *memcg)
{
	out->cgroup_id = READ(memcg, css.cgroup, kn, id);
	out->known = 0;
	/* What lies behind the array is never looked at. */
	if (bpf_probe_read_kernel(s->stat_state, sizeof(s->stat_state),
				  (void *)state_address(memcg)))
		return;
	NODE_STAT(OOMBOX_STAT_ANON, NR_ANON_MAPPED);
	NODE_STAT(OOMBOX_STAT_ANON_THP, NR_ANON_THPS);
	NODE_STAT(OOMBOX_STAT_FILE, NR_FILE_PAGES);
	NODE_STAT(OOMBOX_STAT_SHMEM, NR_SHMEM);
	NODE_STAT(OOMBOX_STAT_FILE_MAPPED, NR_FILE_MAPPED);
	NODE_STAT(OOMBOX_STAT_FILE_DIRTY, NR_FILE_DIRTY);
	NODE_STAT(OOMBOX_STAT_FILE_WRITEBACK, NR_WRITEBACK);
	NODE_STAT(OOMBOX_STAT_INACTIVE_ANON, NR_INACTIVE_ANON);
	NODE_STAT(OOMBOX_STAT_ACTIVE_ANON, NR_ACTIVE_ANON);
	NODE_STAT(OOMBOX_STAT_INACTIVE_FILE, NR_INACTIVE_FILE);
	NODE_STAT(OOMBOX_STAT_ACTIVE_FILE, NR_ACTIVE_FILE);
	NODE_STAT(OOMBOX_STAT_UNEVICTABLE, NR_UNEVICTABLE);
	NODE_STAT(OOMBOX_STAT_SLAB_RECLAIMABLE_BYTES, NR_SLAB_RECLAIMABLE_B);
	NODE_STAT(OOMBOX_STAT_SLAB_UNRECLAIMABLE_BYTES, NR_SLAB_UNRECLAIMABLE_B);
	NODE_STAT(OOMBOX_STAT_KERNEL_STACK_KB, NR_KERNEL_STACK_KB);
	NODE_STAT(OOMBOX_STAT_PAGE_TABLES, NR_PAGETABLE);
	NODE_STAT(OOMBOX_STAT_SECONDARY_PAGE_TABLES, NR_SECONDARY_PAGETABLE);
	NODE_STAT(OOMBOX_STAT_HUGETLB, NR_HUGETLB);
	MEMCG_STAT(OOMBOX_STAT_PERCPU_BYTES, MEMCG_PERCPU_B);
	MEMCG_STAT(OOMBOX_STAT_SOCK, MEMCG_SOCK);
	MEMCG_STAT(OOMBOX_STAT_VMALLOC, MEMCG_VMALLOC);
	MEMCG_STAT(OOMBOX_STAT_KERNEL, MEMCG_KMEM);
	MEMCG_STAT(OOMBOX_STAT_ZSWAP_BYTES, MEMCG_ZSWAP_B);
	MEMCG_STAT(OOMBOX_STAT_ZSWAPPED, MEMCG_ZSWAPPED);
}

/* Of the cgroup that fired, and of the victim's own if that is another. */
static __always_inline void fill_stats(struct scratch *s)
{
	__u32 fired = s->fired_level;

	s->stat_count = 0;
	if (!s->level_count)
		return;
	fill_stat_of(s, &s->stats[0], (struct mem_cgroup *)s->level_memcg[0]);
	s->stat_count = 1;
	if (fired == 0 || fired >= s->level_count || fired >= OOMBOX_MAX_LEVELS)
		return;
	fill_stat_of(s, &s->stats[1], (struct mem_cgroup *)s->level_memcg[fired]);
	s->stat_count = 2;
}

#endif
