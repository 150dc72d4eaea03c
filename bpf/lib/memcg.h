/* SPDX-License-Identifier: GPL-2.0-only */
/* The chain of memory cgroups from the victim's own to the root, and which of them was full. */
#ifndef OOMBOX_LIB_MEMCG_H
#define OOMBOX_LIB_MEMCG_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/level.h"
#include "bpf/lib/read.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/task.h"
#include "bpf/oombox_abi.h"

/* PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE: 2^51 - 1 with 4 KiB pages, less with bigger ones. */
#define NO_LIMIT_PAGES (1ULL << 46)

/* The kernel charges in batches of MEMCG_CHARGE_BATCH (64) pages (mm/memcontrol.c): a full cgroup can
 * stand this far below its limit when the OOM killer runs. */
#define FULL_SLACK_PAGES 64

/* page_counter_try_charge() goes from the leaf to the root and fails at the first counter that is full:
 * so the lowest full level is the one that fired. */
static __always_inline bool level_is_full(const struct oombox_cgroup *level)
{
	return level->max_pages < NO_LIMIT_PAGES &&
	       level->usage_pages + FULL_SLACK_PAGES >= level->max_pages;
}

static __always_inline void fill_levels(struct scratch *s, struct cgroup_subsys_state *css)
{
	int i;

	for (i = 0; i < OOMBOX_MAX_LEVELS && css; i++) {
		struct oombox_cgroup *level = &s->levels[i];

		fill_level(s, level, css);
		s->level_memcg[i] = (__u64)memcg_of(css);
		if (s->record.inferred_level == OOMBOX_MAX_LEVELS && level_is_full(level))
			s->record.inferred_level = i;
		s->level_count = i + 1;
		css = READ(css, parent);
	}
	if (css)
		s->record.flags |= OOMBOX_KILL_LEVELS_CUT;
}

/* Of a decision, or inferred. OOMBOX_MAX_LEVELS: the node, or a cgroup above those that are known. */
static __always_inline __u32 fired_level(const struct scratch *s)
{
	const struct oombox_decision *decision = &s->record.decision;
	__u32 i;

	if (decision->source == OOMBOX_SOURCE_NONE)
		return s->record.inferred_level;
	for (i = 0; i < OOMBOX_MAX_LEVELS && decision->cgroup_id; i++)
		if (i < s->level_count && s->levels[i].id == decision->cgroup_id)
			return i;
	return OOMBOX_MAX_LEVELS;
}

/*
 * An allocation that hits a cgroup's limit comes from a task below it. When the trigger is elsewhere, the full
 * cgroup may be there by chance (page cache fills a cgroup to its limit without any kill).
 */
static __always_inline bool trigger_is_below_inferred(const struct scratch *s)
{
	struct task_struct *current_task = (struct task_struct *)bpf_get_current_task();
	struct cgroup_subsys_state *css = memory_css(READ(current_task, cgroups));
	__u32 level = s->record.inferred_level;
	__u64 fired;
	int i;

	if (level >= OOMBOX_MAX_LEVELS)
		return true;
	fired = s->levels[level].id;
	for (i = 0; i < OOMBOX_MAX_LEVELS && css; i++) {
		if (READ(css, cgroup, kn, id) == fired)
			return true;
		css = READ(css, parent);
	}
	return false;
}

/* The cgroup to rank: the one that fired, else the topmost that is known. */
static __always_inline struct cgroup *cgroup_to_rank(const struct scratch *s)
{
	__u32 level = s->fired_level;
	struct mem_cgroup *memcg;

	if (level >= s->level_count)
		level = s->level_count - 1;
	if (level >= OOMBOX_MAX_LEVELS)
		return 0;
	memcg = (struct mem_cgroup *)s->level_memcg[level];
	return READ(memcg, css.cgroup);
}

#endif
