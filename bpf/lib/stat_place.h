/* SPDX-License-Identifier: GPL-2.0-only */
/* Where an item of memory.stat is in memcg_vmstats.state: see stat.h. */
#ifndef OOMBOX_LIB_STAT_PLACE_H
#define OOMBOX_LIB_STAT_PLACE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/scratch.h"

extern const void mem_cgroup_stats_index __ksym __weak;

/* Set before loading: state[] is compacted (the kernel has a type for its shorter length). */
const volatile __u32 stats_are_compacted = 0; /* as a C++ compiler knows it, too */

#define NO_INDEX (~0ULL)

/* Once for a record. Beyond the table's end lies other memory of the kernel's, which nothing looks at. */
static __always_inline void read_stat_index(struct scratch *s)
{
	if (stats_are_compacted && &mem_cgroup_stats_index)
		bpf_probe_read_kernel(s->stat_index, sizeof(s->stat_index),
				      (void *)&mem_cgroup_stats_index);
}

/* Linux 6.12 marks what has no place with 0xff, earlier ones with 0 and count from 1. */
static __always_inline __u64 compacted_index(const struct scratch *s, __u64 item)
{
	__u64 absent = bpf_core_enum_value(enum node_stat_item, NR_VMSCAN_WRITE);
	__u8 mark, index;

	if (!&mem_cgroup_stats_index || item >= STAT_ITEMS || absent >= STAT_ITEMS)
		return NO_INDEX;
	mark = s->stat_index[absent];
	index = s->stat_index[item];
	if (index == mark)
		return NO_INDEX;
	return mark ? index : index - 1;
}

static __always_inline __u64 stat_place(const struct scratch *s, __u64 item)
{
	return stats_are_compacted ? compacted_index(s, item) : item;
}

#endif
