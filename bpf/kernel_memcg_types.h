/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory controller's structs, as far as we read them: see kernel_types.h. */
#ifndef OOMBOX_KERNEL_MEMCG_TYPES_H
#define OOMBOX_KERNEL_MEMCG_TYPES_H

#include "bpf/kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct page_counter {
	atomic_long_t usage;
	unsigned long min;
	unsigned long low;
	unsigned long high;
	unsigned long max;
};

/* Since Linux 5.13; a pointer to it since 6.1. */
struct memcg_vmstats {
	long state[1];
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
	struct page_counter swap; /* shares its place with memsw, which is what v1 uses */
	struct page_counter kmem; /* v1 */
	struct page_counter tcpmem; /* v1 */
	unsigned long zswap_max; /* since Linux 5.19 */
	bool oom_group;
	bool oom_kill_disable; /* v1 */
	atomic_long_t memory_events[1];
	atomic_long_t memory_events_local[1];
	struct memcg_vmstats *vmstats;
};

struct mem_cgroup___before_5_13 {
	atomic_long_t vmstats[1];
};

struct mem_cgroup___before_6_1 {
	struct memcg_vmstats vmstats;
};

enum oom_constraint { CONSTRAINT_NONE, CONSTRAINT_CPUSET, CONSTRAINT_MEMORY_POLICY, CONSTRAINT_MEMCG };

/* mm/oom_kill.c's view of one run (include/linux/oom.h); it lies on the stack of whoever ran out. */
struct oom_control {
	struct mem_cgroup *memcg;
	unsigned int gfp_mask;
	int order;
	unsigned long totalpages;
	struct task_struct *chosen;
	long chosen_points;
	enum oom_constraint constraint;
};

#pragma clang attribute pop

/* Values depend on version and configuration: read with bpf_core_enum_value. */
enum memcg_memory_event {
	MEMCG_LOW,
	MEMCG_HIGH,
	MEMCG_MAX,
	MEMCG_OOM,
	MEMCG_OOM_KILL,
	MEMCG_OOM_GROUP_KILL, /* since Linux 5.17 */
};

enum node_stat_item {
	NR_INACTIVE_ANON,
	NR_ACTIVE_ANON,
	NR_INACTIVE_FILE,
	NR_ACTIVE_FILE,
	NR_UNEVICTABLE,
	NR_SLAB_RECLAIMABLE_B,
	NR_SLAB_UNRECLAIMABLE_B,
	NR_ANON_MAPPED,
	NR_FILE_MAPPED,
	NR_FILE_PAGES,
	NR_FILE_DIRTY,
	NR_WRITEBACK,
	NR_SHMEM,
	NR_ANON_THPS,
	NR_VMSCAN_WRITE, /* of the node alone: never a memory cgroup's */
	NR_KERNEL_STACK_KB,
	NR_PAGETABLE, /* since Linux 5.11 */
	NR_SECONDARY_PAGETABLE, /* since Linux 6.1 */
	NR_HUGETLB, /* since Linux 6.14 */
	NR_VM_NODE_STAT_ITEMS,
};

enum memcg_stat_item {
	MEMCG_SWAP,
	MEMCG_SOCK,
	MEMCG_PERCPU_B,
	MEMCG_VMALLOC, /* since Linux 5.17 */
	MEMCG_KMEM, /* since Linux 5.18 */
	MEMCG_ZSWAP_B, /* since Linux 5.19 */
	MEMCG_ZSWAPPED, /* since Linux 5.19 */
};

#endif /* OOMBOX_KERNEL_MEMCG_TYPES_H */
