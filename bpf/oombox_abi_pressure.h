/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What pressure.bpf.c and the agent share in mapped memory: not kept anywhere, so it has no version. */
#ifndef OOMBOX_ABI_PRESSURE_H
#define OOMBOX_ABI_PRESSURE_H

#include <linux/types.h>

/* The first is the node's; the others are of cgroups, found by their id (see slot_of()). */
#define OOMBOX_RECLAIM_SLOTS 4096
#define OOMBOX_RECLAIM_PROBES 8

/*
 * Reclaim on behalf of one memory cgroup. The kernel side takes an empty slot, the agent empties one when its
 * cgroup is gone: it counts generation up and clears cgroup_id; whoever takes the slot clears the rest.
 */
struct oombox_reclaim_slot {
	__u64 cgroup_id; /* 0: empty; the node's slot has 0 always */
	__u64 generation;
	__u64 count;
	__u64 stall_ns;
	__u64 longest_ns; /* of two that end at once, one may be missed */
	__u64 reclaimed_pages;
	__u64 usage_pages; /* of the cgroup, when the last one began */
	__u64 usage_max_pages;
	__u64 last_boottime_ns;
};

struct oombox_reclaim_counters {
	__u64 reclaims;
	__u64 lost; /* of which the beginning or the end is not known */
	__u64 run_ns;
	__u32 disarmed; /* the agent's switch: nothing is counted while it is set */
	__u32 pad;
};

#endif
