/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exact memory of a process: since Linux 6.2 every CPU holds back up to a batch of pages of each counter,
 * and mm->rss_stat[].count alone is off by batch * CPUs. Up to 6.18 that is what the kernel prints; newer ones
 * print the sum (percpu_counter_sum).
 */
#ifndef OOMBOX_LIB_EXACT_H
#define OOMBOX_LIB_EXACT_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/read.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/task.h"

/* unsigned long __per_cpu_offset[NR_CPUS]: 0 where kallsyms does not show it (CONFIG_KALLSYMS_ALL=n,
 * kptr_restrict). Without a type: module BTFs would be searched for it, which needs CAP_SYS_ADMIN. */
extern const void __per_cpu_offset __ksym __weak;

#define MAX_SUMMED_CPUS 512

/* Set before loading; CPU numbers below it are possible. */
const volatile __u32 possible_cpus = 1;

static __always_inline int held_by(int *counters, __u64 cpu_offset)
{
	int pages = 0;

	bpf_probe_read_kernel(&pages, sizeof(pages), (void *)((__u64)counters + cpu_offset));
	return pages;
}

static long sum_one_cpu(__u32 cpu, void *ctx)
{
	struct scratch *s = get_scratch();
	__u64 offset = 0;
	__u32 i;

	if (!s)
		return 1;
	bpf_probe_read_kernel(&offset, sizeof(offset),
			      (void *)&__per_cpu_offset + (__u64)cpu * sizeof(offset));
	if (!offset)
		return 0;
	for (i = 0; i < 4; i++)
		s->sums[i] += held_by((int *)s->summed[i], offset);
	return 0;
}

/* With constant indexes only: CO-RE knows the size of an element for those. */
#define BEGIN_SUM(s, mm, kind)                                                          \
	do {                                                                            \
		(s)->sums[kind] = READ(mm, rss_stat[kind].count);              \
		(s)->summed[kind] = (__u64)READ(mm, rss_stat[kind].counters);  \
	} while (0)

static __always_inline bool can_sum(void)
{
	return rss_is_percpu() && &__per_cpu_offset && possible_cpus <= MAX_SUMMED_CPUS;
}

/* Adds `exact` to what fill_process() gave. */
static __always_inline void fill_exact(struct scratch *s, struct oombox_process *out, __u64 address)
{
	struct mm_struct *mm = (struct mm_struct *)address;

	if (out->flags & OOMBOX_PROCESS_NO_MM || !mm || !can_sum())
		return;
	BEGIN_SUM(s, mm, MM_FILEPAGES);
	BEGIN_SUM(s, mm, MM_ANONPAGES);
	BEGIN_SUM(s, mm, MM_SWAPENTS);
	BEGIN_SUM(s, mm, MM_SHMEMPAGES);
	bpf_loop(possible_cpus, sum_one_cpu, 0, 0);
	out->exact.file_pages = not_negative(s->sums[MM_FILEPAGES]);
	out->exact.anon_pages = not_negative(s->sums[MM_ANONPAGES]);
	out->exact.swap_pages = not_negative(s->sums[MM_SWAPENTS]);
	out->exact.shmem_pages = not_negative(s->sums[MM_SHMEMPAGES]);
	out->flags |= OOMBOX_PROCESS_EXACT;
}

#endif
