/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory in which a kill record is made: too big for the stack. */
#ifndef OOMBOX_LIB_SCRATCH_H
#define OOMBOX_LIB_SCRATCH_H

#include <bpf/bpf_helpers.h>

#include "bpf/oombox_abi.h"

enum walk_phase { WALK_TASKS, WALK_LINKS, WALK_DOWN, WALK_UP, WALK_DONE };

/* Addresses are kept as integers: only reads that cannot fault follow them. */
struct walk {
	__u64 root;   /* struct cgroup: where the walk began */
	__u64 cgroup; /* struct cgroup: where it is */
	__u64 cset;   /* struct css_set */
	__u64 link;   /* struct list_head in cgroup->cset_links */
	__u64 node;   /* struct list_head in cset->tasks */
	__u32 phase;
	__u32 steps;
};

#define SCAN_WORDS 64 /* of the stack at a time */
#define MAX_CANDIDATES 16 /* a power of two */

#define STAT_ITEMS 128 /* MEMCG_NR_STAT is about 60 */
#define EVENT_ITEMS 12

struct scratch {
	/*
	 * Here and not on the stack: a verifier before Linux 6.8 looks at a bpf_loop() callback once and
	 * takes what a stack variable holds before the loop for what it always holds; it would cut the
	 * branches of every other phase out of the program.
	 */
	struct walk walk;
	__u64 begin_ns; /* of the program: CLOCK_BOOTTIME */
	struct oombox_kill_record record;
	__u32 tail_len;
	/* What becomes the record's parts. */
	__u32 level_count;
	__u32 user_count;
	__u32 names_len;
	__u32 stat_count;
	__u32 parent_count;
	__u32 fired_level; /* by the decision, else inferred; OOMBOX_MAX_LEVELS: none */
	struct oombox_cgroup levels[OOMBOX_MAX_LEVELS];
	struct oombox_process users[OOMBOX_MAX_USERS];
	struct oombox_stat stats[OOMBOX_MAX_STATS];
	__u64 frames[OOMBOX_MAX_FRAMES];
	struct oombox_parent parents[OOMBOX_MAX_PARENTS];
	char names[OOMBOX_MAX_NAMES + OOMBOX_MAX_NAME];
	/* Beside `users`: what identifies and weighs each. */
	__u64 user_mm[OOMBOX_MAX_USERS];
	__u64 user_weight[OOMBOX_MAX_USERS];
	/* mm_struct.rss_stat of the process that is being weighed. */
	__u64 rss_stat[20];
	/* Tables of the kernel's, each copied with one read: a read costs more than what it copies. */
	__u8 stat_index[STAT_ITEMS]; /* mem_cgroup_stats_index */
	__s64 stat_state[STAT_ITEMS]; /* memory.stat of the cgroup that is being read */
	__u64 events[2][EVENT_ITEMS]; /* memory.events and memory.events.local of it */
	/* Beside `levels`: struct mem_cgroup. */
	__u64 level_memcg[OOMBOX_MAX_LEVELS];
	/* The search for struct oom_control: addresses are kept as integers, here, so that the verifier need
	 * not follow each of them. */
	__u64 stack_begin;
	__u64 stack_words[SCAN_WORDS];
	__u32 candidate_count;
	__u64 candidates[MAX_CANDIDATES];
	/* Of the memory that is being summed over the CPUs: percpu_counter.counters. */
	__u64 summed[4];
	__s64 sums[4];
};

/* Programs that mark a victim run under oom_lock, one at a time; per CPU nevertheless, so that a kernel
 * with another caller of mark_oom_victim() cannot mix two records. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *get_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/* Copies `count` elements of `size` bytes behind what the record has. `max` bounds count * size and is a
 * constant: the verifier must see that it fits. */
static __always_inline void add_part(struct scratch *s, enum oombox_part_kind kind,
				     const void *from, __u32 size, __u32 count, const __u32 max)
{
	struct oombox_part *part = &s->record.parts[kind];
	__u64 at = s->tail_len;
	__u64 bytes = (__u64)size * count;

	/* One register for the check and the use: clang would check a copy. */
	asm volatile("" : "+r"(bytes));
	asm volatile("" : "+r"(at));

	part->offset = __builtin_offsetof(struct oombox_kill_record, tail) + at;
	part->size = size;
	part->count = 0;
	if (at > OOMBOX_TAIL_LEN - max || bytes > max || bytes == 0)
		return;
	if (bpf_probe_read_kernel(&s->record.tail[at], bytes, from))
		return;
	part->count = count;
	s->tail_len = at + bytes;
}

#endif
