/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of the biggest memory users. */
#ifndef OOMBOX_LIB_RANK_H
#define OOMBOX_LIB_RANK_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/read.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/task.h"
#include "bpf/oombox_abi.h"

enum {
	NO_SLOT = OOMBOX_MAX_USERS,	/* too light */
	SAME_MM = OOMBOX_MAX_USERS + 1, /* listed already, under another task with the same mm */
};

/* The slot for a process of this weight: a free one, else the lightest if lighter. */
static __always_inline __u32 find_slot(struct scratch *s, __u64 mm, __u64 weight)
{
	__u64 lightest = ~0ULL;
	__u32 slot = NO_SLOT;
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_USERS; i++) {
		if (i >= s->user_count)
			return i;
		if (s->user_mm[i] == mm)
			return SAME_MM;
		if (s->user_weight[i] < lightest) {
			lightest = s->user_weight[i];
			slot = i;
		}
	}
	return weight > lightest ? slot : NO_SLOT;
}

/* False when its mm is listed already. */
static __always_inline bool put_user(struct scratch *s, struct task_struct *task, __u64 mm,
				     __u64 weight)
{
	__u32 slot = find_slot(s, mm, weight);

	if (slot >= OOMBOX_MAX_USERS)
		return slot != SAME_MM;
	fill_process(&s->users[slot], task);
	s->user_mm[slot] = mm;
	s->user_weight[slot] = weight;
	if (slot == s->user_count)
		s->user_count = slot + 1;
	return true;
}

/* The victim is always listed, as itself: a walk that was cut may have missed it, a process that shares its
 * mm may stand for it. */
static __always_inline void put_victim(struct scratch *s, struct task_struct *victim, __u64 mm)
{
	__u32 i;

	if (put_user(s, victim, mm, ~0ULL))
		return;
	for (i = 0; i < OOMBOX_MAX_USERS; i++) {
		if (i < s->user_count && s->user_mm[i] == mm) {
			fill_process(&s->users[i], victim);
			return;
		}
	}
}

static __always_inline void add_memory(struct oombox_memory *sum, const struct oombox_memory *m)
{
	sum->anon_pages += m->anon_pages;
	sum->file_pages += m->file_pages;
	sum->shmem_pages += m->shmem_pages;
	sum->swap_pages += m->swap_pages;
	sum->page_tables_bytes += m->page_tables_bytes;
}

static __always_inline __u64 rss_at(const struct scratch *s, __u64 offset)
{
	return not_negative(*(const __s64 *)((const char *)s->rss_stat + offset));
}

/* Where a counter is within rss_stat: a constant, once the program is loaded. */
#define RSS_OFFSET(kind)                                                                        \
	(rss_is_percpu() ? bpf_core_field_offset(struct mm_struct, rss_stat[kind].count) -      \
				   bpf_core_field_offset(struct mm_struct, rss_stat) :          \
			   bpf_core_field_offset(struct mm_struct___before_6_2,                 \
						 rss_stat.count[kind].counter) -                \
				   bpf_core_field_offset(struct mm_struct___before_6_2, rss_stat))

/* As fill_memory(), but total_vm: the counters lie side by side, and a read for each would be a third of what
 * a process costs here. */
static __always_inline void weigh(struct scratch *s, struct oombox_memory *out, struct mm_struct *mm)
{
	__u64 begin = rss_is_percpu() ?
			      bpf_core_field_offset(struct mm_struct, rss_stat) :
			      bpf_core_field_offset(struct mm_struct___before_6_2, rss_stat);

	if (RSS_OFFSET(MM_SHMEMPAGES) > sizeof(s->rss_stat) - sizeof(__s64)) { /* lockdep: a bigger lock */
		fill_memory(out, mm);
		return;
	}
	bpf_probe_read_kernel(s->rss_stat, sizeof(s->rss_stat), (void *)mm + begin);
	out->file_pages = rss_at(s, RSS_OFFSET(MM_FILEPAGES));
	out->anon_pages = rss_at(s, RSS_OFFSET(MM_ANONPAGES));
	out->swap_pages = rss_at(s, RSS_OFFSET(MM_SWAPENTS));
	out->shmem_pages = rss_at(s, RSS_OFFSET(MM_SHMEMPAGES));
	out->page_tables_bytes = READ(mm, pgtables_bytes.counter);
}

static __always_inline void visit_task(struct scratch *s, struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);
	struct mm_struct *mm = READ(task, mm);
	struct oombox_memory memory = {};

	s->record.walk_threads++;
	/* A process is seen once, at its leader; at any thread when the leader has exited. */
	if (!mm || (task != leader && READ(leader, mm)))
		return;
	weigh(s, &memory, mm);
	if (!put_user(s, task, (__u64)mm, memory_weight(&memory)))
		return;
	s->record.walk_processes++;
	add_memory(&s->record.walk_total, &memory);
}

#endif
