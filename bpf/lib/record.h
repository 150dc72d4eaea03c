/* SPDX-License-Identifier: GPL-2.0-only */
/* The kill record: begun empty, its parts put behind it, submitted. */
#ifndef OOMBOX_LIB_RECORD_H
#define OOMBOX_LIB_RECORD_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/counters.h"
#include "bpf/lib/parents.h"
#include "bpf/lib/ring.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/stat.h"
#include "bpf/lib/task.h"
#include "bpf/oombox_abi.h"

static __always_inline void begin_record(struct scratch *s, __u64 now)
{
	struct oombox_kill_record *rec = &s->record;

	s->begin_ns = now;
	__builtin_memset(rec, 0, __builtin_offsetof(struct oombox_kill_record, tail));
	rec->flags = OOMBOX_KILL_NO_WALK;
	if (rss_is_percpu())
		rec->flags |= OOMBOX_KILL_RSS_PERCPU;
	rec->inferred_level = OOMBOX_MAX_LEVELS;
	s->fired_level = OOMBOX_MAX_LEVELS;
	s->tail_len = 0;
	__builtin_memset(s->level_memcg, 0, sizeof(s->level_memcg));
	s->level_count = 0;
	s->user_count = 0;
	s->names_len = 0;
	s->stat_count = 0;
	read_stat_index(s);
}

static __always_inline void fill_actors(struct oombox_kill_record *rec, struct task_struct *task)
{
	struct task_struct *current_task = (struct task_struct *)bpf_get_current_task();
	struct cgroup_subsys_state *css = memory_css(BPF_CORE_READ(current_task, cgroups));
	__u64 current = bpf_get_current_pid_tgid();

	fill_process(&rec->victim, task);
	rec->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&rec->parent_comm, task, real_parent, comm);
	rec->trigger_tgid = current >> 32;
	rec->trigger_tid = (__u32)current;
	bpf_get_current_comm(&rec->trigger_comm, sizeof(rec->trigger_comm));
	rec->trigger_cgroup_id = BPF_CORE_READ(css, cgroup, kn, id);
}

/* Of the first victim: a group of thousands says the same thousands of times. */
static __always_inline void add_parts(struct scratch *s, void *ctx, struct task_struct *task)
{
	long bytes = bpf_get_stack(ctx, s->frames, sizeof(s->frames), 0);

	fill_stats(s);
	fill_parents(s, task);
	add_part(s, OOMBOX_PART_NAMES, s->names, 1, s->names_len, sizeof(s->names));
	add_part(s, OOMBOX_PART_LEVELS, s->levels, sizeof(s->levels[0]), s->level_count,
		 sizeof(s->levels));
	add_part(s, OOMBOX_PART_USERS, s->users, sizeof(s->users[0]), s->user_count,
		 sizeof(s->users));
	add_part(s, OOMBOX_PART_STATS, s->stats, sizeof(s->stats[0]), s->stat_count,
		 sizeof(s->stats));
	add_part(s, OOMBOX_PART_PARENTS, s->parents, sizeof(s->parents[0]), s->parent_count,
		 sizeof(s->parents));
	if (bytes > 0)
		add_part(s, OOMBOX_PART_STACK, s->frames, sizeof(__u64), bytes / sizeof(__u64),
			 sizeof(s->frames));
}

static __always_inline void submit(struct scratch *s, __u64 now)
{
	struct oombox_kill_record *rec = &s->record;
	__u64 tail = s->tail_len;
	__u64 size;

	if (tail > sizeof(rec->tail))
		tail = sizeof(rec->tail);
	size = __builtin_offsetof(struct oombox_kill_record, tail) + tail;
	rec->header.type = OOMBOX_RECORD_KILL;
	rec->header.version = OOMBOX_KILL_VERSION;
	rec->header.size = size;
	rec->header.boottime_ns = now;
	COUNT(kills);
	if (bpf_ringbuf_output(&kill_ring, rec, size, BPF_RB_FORCE_WAKEUP))
		COUNT(dropped_ring_full);
	else
		COUNT(submitted);
}

#endif
