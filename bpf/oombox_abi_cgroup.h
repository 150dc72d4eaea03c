/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Part of the ABI (oombox_abi.h): a memory cgroup. */
#ifndef OOMBOX_ABI_CGROUP_H
#define OOMBOX_ABI_CGROUP_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* The indexes of `events` and `local_events`: memory.events, memory.events.local. */
enum oombox_event_item {
	OOMBOX_EVENT_LOW,
	OOMBOX_EVENT_HIGH,
	OOMBOX_EVENT_MAX,
	OOMBOX_EVENT_OOM,
	OOMBOX_EVENT_OOM_KILL,
	OOMBOX_EVENT_OOM_GROUP_KILL,
	OOMBOX_EVENTS,
};

/* Limits are in pages; "no limit" is the kernel's PAGE_COUNTER_MAX, anything >= 2^46. */
struct oombox_cgroup {
	__u64 id;
	__u64 usage_pages;
	__u64 max_pages;
	__u64 high_pages;
	__u64 low_pages;
	__u64 min_pages;
	__u64 swap_usage_pages; /* v1: memsw */
	__u64 swap_max_pages;	/* v1: memsw */
	__u64 kmem_usage_pages; /* v1 */
	__u64 kmem_max_pages;	/* v1 */
	__u64 tcp_usage_pages;	/* v1 */
	__u64 tcp_max_pages;	/* v1 */
	__u64 zswap_max_pages;
	__u64 events[OOMBOX_EVENTS];
	__u64 local_events[OOMBOX_EVENTS];
	__u32 flags;		/* enum oombox_cgroup_flags */
	__u16 name_offset;	/* into the names */
	__u16 name_len;		/* without NUL; 0 for the root */
	__u64 zswap_usage_bytes; /* with OOMBOX_CGROUP_ZSWAP_USAGE */
};

enum oombox_cgroup_flags {
	OOMBOX_CGROUP_OOM_GROUP = 1 << 0,
	OOMBOX_CGROUP_NAME_CUT = 1 << 1, /* names was full */
	OOMBOX_CGROUP_OOM_DISABLED = 1 << 2, /* v1: oom_kill_disable */
	OOMBOX_CGROUP_ZSWAP = 1 << 3, /* zswap_max_pages is filled */
	OOMBOX_CGROUP_KMEM = 1 << 4, /* kmem_* and tcp_* are filled */
	OOMBOX_CGROUP_GROUP_KILLS = 1 << 5, /* OOMBOX_EVENT_OOM_GROUP_KILL is counted by this kernel */
	OOMBOX_CGROUP_ZSWAP_USAGE = 1 << 6, /* zswap_usage_bytes is filled */
};

/* memory.stat as the kernel keeps it: pages, unless the name says otherwise. */
enum oombox_stat_item {
	OOMBOX_STAT_ANON,
	OOMBOX_STAT_ANON_THP, /* before Linux 5.12: huge pages */
	OOMBOX_STAT_FILE,
	OOMBOX_STAT_SHMEM,
	OOMBOX_STAT_FILE_MAPPED,
	OOMBOX_STAT_FILE_DIRTY,
	OOMBOX_STAT_FILE_WRITEBACK,
	OOMBOX_STAT_INACTIVE_ANON,
	OOMBOX_STAT_ACTIVE_ANON,
	OOMBOX_STAT_INACTIVE_FILE,
	OOMBOX_STAT_ACTIVE_FILE,
	OOMBOX_STAT_UNEVICTABLE,
	OOMBOX_STAT_SLAB_RECLAIMABLE_BYTES,
	OOMBOX_STAT_SLAB_UNRECLAIMABLE_BYTES,
	OOMBOX_STAT_KERNEL_STACK_KB,
	OOMBOX_STAT_PAGE_TABLES,
	OOMBOX_STAT_SECONDARY_PAGE_TABLES,
	OOMBOX_STAT_PERCPU_BYTES,
	OOMBOX_STAT_SOCK,
	OOMBOX_STAT_VMALLOC,
	OOMBOX_STAT_KERNEL,
	OOMBOX_STAT_ZSWAP_BYTES,
	OOMBOX_STAT_ZSWAPPED,
	OOMBOX_STAT_HUGETLB,
	OOMBOX_STATS,
};

struct oombox_stat {
	__u64 cgroup_id;
	__u64 known; /* bit i: values[i] is filled */
	__s64 values[OOMBOX_STATS];
};

#endif /* OOMBOX_ABI_CGROUP_H */
