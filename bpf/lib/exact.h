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

/* With constant indexes only: CO-RE knows the size of an element for those. */
static long sum_one_cpu(__u32 cpu, void *ctx)
{
	struct scratch *s = get_scratch();
	struct mm_struct *mm;
	__u64 offset = 0;

	if (!s)
		return 1;
	bpf_probe_read_kernel(&offset, sizeof(offset),
			      (void *)&__per_cpu_offset + (__u64)cpu * sizeof(offset));
	if (!offset)
		return 0;
	mm = (struct mm_struct *)s->summed_mm;
	s->sums[MM_FILEPAGES] += held_by(BPF_CORE_READ(mm, rss_stat[MM_FILEPAGES].counters), offset);
	s->sums[MM_ANONPAGES] += held_by(BPF_CORE_READ(mm, rss_stat[MM_ANONPAGES].counters), offset);
	s->sums[MM_SWAPENTS] += held_by(BPF_CORE_READ(mm, rss_stat[MM_SWAPENTS].counters), offset);
	s->sums[MM_SHMEMPAGES] +=
		held_by(BPF_CORE_READ(mm, rss_stat[MM_SHMEMPAGES].counters), offset);
	return 0;
}

/* Adds `exact` to what fill_process() gave. */
static __always_inline void fill_exact(struct scratch *s, struct oombox_process *out, __u64 mm)
{
	if (out->flags & OOMBOX_PROCESS_NO_MM)
		return;
	if (!rss_is_percpu() || !&__per_cpu_offset || possible_cpus > MAX_SUMMED_CPUS || !mm)
		return;
	s->summed_mm = mm;
	s->sums[MM_FILEPAGES] = BPF_CORE_READ((struct mm_struct *)mm, rss_stat[MM_FILEPAGES].count);
	s->sums[MM_ANONPAGES] = BPF_CORE_READ((struct mm_struct *)mm, rss_stat[MM_ANONPAGES].count);
	s->sums[MM_SWAPENTS] = BPF_CORE_READ((struct mm_struct *)mm, rss_stat[MM_SWAPENTS].count);
	s->sums[MM_SHMEMPAGES] =
		BPF_CORE_READ((struct mm_struct *)mm, rss_stat[MM_SHMEMPAGES].count);
	bpf_loop(possible_cpus, sum_one_cpu, 0, 0);
	out->exact.file_pages = not_negative(s->sums[MM_FILEPAGES]);
	out->exact.anon_pages = not_negative(s->sums[MM_ANONPAGES]);
	out->exact.swap_pages = not_negative(s->sums[MM_SWAPENTS]);
	out->exact.shmem_pages = not_negative(s->sums[MM_SHMEMPAGES]);
	out->flags |= OOMBOX_PROCESS_EXACT;
}

#endif
