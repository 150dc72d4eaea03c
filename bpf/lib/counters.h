/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of the kill object: in .bss, so that user space reads them without a system call. */
#ifndef OOMBOX_LIB_COUNTERS_H
#define OOMBOX_LIB_COUNTERS_H

#include <bpf/bpf_helpers.h>

#include "bpf/oombox_pinned.h"

struct oombox_kill_counters counters;

/* Kills are rare, and their marks serialized by oom_lock: one shared counter costs nothing and needs no summing. */
#define COUNT(field) __sync_fetch_and_add(&counters.field, 1)

/* The maximum is best effort: signals are sent on many CPUs at once. */
static __always_inline void count_run_time(__u64 ns)
{
	__sync_fetch_and_add(&counters.run_ns, ns);
	if (ns > counters.longest_run_ns)
		counters.longest_run_ns = ns;
}

#endif
