/* SPDX-License-Identifier: GPL-2.0-only */
/* The chain of memory cgroups from the victim's own to the root, and which of them was full. */
#ifndef OOMBOX_LIB_MEMCG_H
#define OOMBOX_LIB_MEMCG_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/oombox_abi.h"

/* PAGE_COUNTER_MAX is LONG_MAX / PAGE_SIZE: 2^51 - 1 with 4 KiB pages, less with bigger ones. */
#define NO_LIMIT_PAGES (1ULL << 46)

/* The kernel charges in batches of MEMCG_CHARGE_BATCH (64) pages (mm/memcontrol.c): a full cgroup can
 * stand this far below its limit when the OOM killer runs. */
#define FULL_SLACK_PAGES 64

static __always_inline struct mem_cgroup *memcg_of(struct cgroup_subsys_state *css)
{
	return (void *)css - bpf_core_field_offset(struct mem_cgroup, css);
}

static __always_inline void fill_level(struct oombox_kill_record *rec, struct oombox_cgroup *out,
				       struct cgroup_subsys_state *css)
{
	struct mem_cgroup *memcg = memcg_of(css);
	const char *name = BPF_CORE_READ(css, cgroup, kn, name);
	__u32 offset = rec->names_len;
	long len;

	out->id = BPF_CORE_READ(css, cgroup, kn, id);
	out->usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
	out->max_pages = BPF_CORE_READ(memcg, memory.max);
	out->high_pages = BPF_CORE_READ(memcg, memory.high);
	out->low_pages = BPF_CORE_READ(memcg, memory.low);
	out->min_pages = BPF_CORE_READ(memcg, memory.min);
	out->swap_usage_pages = BPF_CORE_READ(memcg, swap.usage.counter);
	out->swap_max_pages = BPF_CORE_READ(memcg, swap.max);
	out->flags = BPF_CORE_READ(memcg, oom_group) ? OOMBOX_CGROUP_OOM_GROUP : 0;
	out->name_offset = 0;
	out->name_len = 0;
	if (offset >= OOMBOX_MAX_NAMES) {
		out->flags |= OOMBOX_CGROUP_NAME_CUT;
		return;
	}
	len = bpf_probe_read_kernel_str(&rec->names[offset], OOMBOX_MAX_NAME, name);
	if (len < 0)
		out->flags |= OOMBOX_CGROUP_NAME_CUT;
	if (len <= 1) /* the root's name is empty */
		return;
	out->name_offset = offset;
	out->name_len = len - 1;
	rec->names_len = offset + len - 1;
}

/* page_counter_try_charge() goes from the leaf to the root and fails at the first counter that is full:
 * so the lowest full level is the one that fired. */
static __always_inline bool level_is_full(const struct oombox_cgroup *level)
{
	return level->max_pages < NO_LIMIT_PAGES &&
	       level->usage_pages + FULL_SLACK_PAGES >= level->max_pages;
}

/* Fills levels, names and fired_level; returns the cgroup to rank: the one that fired, else the root. */
static __always_inline struct cgroup *fill_levels(struct oombox_kill_record *rec,
						  struct cgroup_subsys_state *css)
{
	struct cgroup *fired = 0;
	struct cgroup *top = 0;
	int i;

	rec->level_count = 0;
	rec->names_len = 0;
	rec->fired_level = OOMBOX_MAX_LEVELS;
	for (i = 0; i < OOMBOX_MAX_LEVELS && css; i++) {
		struct oombox_cgroup *level = &rec->levels[i];

		fill_level(rec, level, css);
		top = BPF_CORE_READ(css, cgroup);
		if (!fired && level_is_full(level)) {
			fired = top;
			rec->fired_level = i;
		}
		rec->level_count = i + 1;
		css = BPF_CORE_READ(css, parent);
	}
	if (css)
		rec->flags |= OOMBOX_KILL_LEVELS_CUT;
	return fired ? fired : top;
}

#endif
