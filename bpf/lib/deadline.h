/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of one mark: under oom_lock the program has 1 ms, whatever the size of the cgroup or of the machine.
 * What grows with either looks at the clock; the rest (levels, two memory.stats, the stack, the copy into the
 * ring) takes some 70 us, most of it for memory that no cache has; more on a slow machine.
 */
#ifndef OOMBOX_LIB_DEADLINE_H
#define OOMBOX_LIB_DEADLINE_H

#include <bpf/bpf_helpers.h>

#include "bpf/lib/scratch.h"

/* Since the program began. The walk over the tasks is cut. */
#define WALK_UNTIL_NS (600ULL * 1000)

/* No further user's sum over the CPUs is begun: one on 512 CPUs takes some 100 us. */
#define SUMS_UNTIL_NS (700ULL * 1000)

static __always_inline bool is_past(const struct scratch *s, __u64 until_ns)
{
	return bpf_ktime_get_boot_ns() - s->begin_ns > until_ns;
}

/* What can be done without a look at the clock: steps of the walk, each below 1 us, and CPUs summed. So a small
 * cgroup on a small machine is never cut, however slow that is. */
#define STEPS_PER_LOOK 32
#define CPUS_PER_LOOK 64

static __always_inline bool walk_is_late(const struct scratch *s)
{
	return s->walk.steps % STEPS_PER_LOOK == 0 && is_past(s, WALK_UNTIL_NS);
}

static __always_inline bool sums_are_late(const struct scratch *s, __u32 cpus_summed)
{
	return cpus_summed >= CPUS_PER_LOOK && is_past(s, SUMS_UNTIL_NS);
}

#endif
