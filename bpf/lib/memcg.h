/* SPDX-License-Identifier: GPL-2.0-only */
/* The chain of memory cgroups from the victim's own to the root, and which of them was full. */
#ifndef OOMBOX_LIB_MEMCG_H
#define OOMBOX_LIB_MEMCG_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/scratch.h"
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

static __always_inline void fill_name(struct scratch *s, struct oombox_cgroup *out,
				      struct cgroup_subsys_state *css)
{
	const char *name = BPF_CORE_READ(css, cgroup, kn, name);
	__u32 offset = s->names_len;
	long len;

	out->name_offset = 0;
	out->name_len = 0;
	if (offset >= OOMBOX_MAX_NAMES) {
		out->flags |= OOMBOX_CGROUP_NAME_CUT;
		return;
	}
	len = bpf_probe_read_kernel_str(&s->names[offset], OOMBOX_MAX_NAME, name);
	if (len < 0)
		out->flags |= OOMBOX_CGROUP_NAME_CUT;
	if (len <= 1) /* the root's name is empty */
		return;
	out->name_offset = offset;
	out->name_len = len - 1;
	s->names_len = offset + len - 1;
}

static __always_inline __u64 read_counter(struct mem_cgroup *memcg, __u64 array, __u64 index)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (void *)memcg + array + index * sizeof(value));
	return value;
}

static __always_inline void read_event(struct oombox_cgroup *out, struct mem_cgroup *memcg,
				       __u32 item, __u64 index)
{
	out->events[item] = read_counter(
		memcg, bpf_core_field_offset(struct mem_cgroup, memory_events), index);
	out->local_events[item] = read_counter(
		memcg, bpf_core_field_offset(struct mem_cgroup, memory_events_local), index);
}

#define EVENT_INDEX(event) bpf_core_enum_value(enum memcg_memory_event, event)

/* The kill itself is counted already: out_of_memory() counts before it kills. */
static __always_inline void fill_events(struct oombox_cgroup *out, struct mem_cgroup *memcg)
{
	read_event(out, memcg, OOMBOX_EVENT_LOW, EVENT_INDEX(MEMCG_LOW));
	read_event(out, memcg, OOMBOX_EVENT_HIGH, EVENT_INDEX(MEMCG_HIGH));
	read_event(out, memcg, OOMBOX_EVENT_MAX, EVENT_INDEX(MEMCG_MAX));
	read_event(out, memcg, OOMBOX_EVENT_OOM, EVENT_INDEX(MEMCG_OOM));
	read_event(out, memcg, OOMBOX_EVENT_OOM_KILL, EVENT_INDEX(MEMCG_OOM_KILL));
	out->events[OOMBOX_EVENT_OOM_GROUP_KILL] = 0;
	out->local_events[OOMBOX_EVENT_OOM_GROUP_KILL] = 0;
	if (bpf_core_enum_value_exists(enum memcg_memory_event, MEMCG_OOM_GROUP_KILL)) {
		/* It follows MEMCG_OOM_KILL. Not by its own value: clang may move that before the
		 * question, and a kernel without it refuses the instruction. */
		read_event(out, memcg, OOMBOX_EVENT_OOM_GROUP_KILL,
			   EVENT_INDEX(MEMCG_OOM_KILL) + 1);
		out->flags |= OOMBOX_CGROUP_GROUP_KILLS;
	}
}

/* Fields that a kernel's configuration or version may lack. */
static __always_inline void fill_optional(struct oombox_cgroup *out, struct mem_cgroup *memcg)
{
	out->zswap_max_pages = 0;
	out->kmem_usage_pages = 0;
	out->kmem_max_pages = 0;
	out->tcp_usage_pages = 0;
	out->tcp_max_pages = 0;
	if (bpf_core_field_exists(memcg->zswap_max)) {
		out->zswap_max_pages = BPF_CORE_READ(memcg, zswap_max);
		out->flags |= OOMBOX_CGROUP_ZSWAP;
	}
	if (bpf_core_field_exists(memcg->kmem) && bpf_core_field_exists(memcg->tcpmem)) {
		out->kmem_usage_pages = BPF_CORE_READ(memcg, kmem.usage.counter);
		out->kmem_max_pages = BPF_CORE_READ(memcg, kmem.max);
		out->tcp_usage_pages = BPF_CORE_READ(memcg, tcpmem.usage.counter);
		out->tcp_max_pages = BPF_CORE_READ(memcg, tcpmem.max);
		out->flags |= OOMBOX_CGROUP_KMEM;
	}
	if (bpf_core_field_exists(memcg->oom_kill_disable) &&
	    BPF_CORE_READ(memcg, oom_kill_disable))
		out->flags |= OOMBOX_CGROUP_OOM_DISABLED;
}

static __always_inline void fill_level(struct scratch *s, struct oombox_cgroup *out,
				       struct cgroup_subsys_state *css)
{
	struct mem_cgroup *memcg = memcg_of(css);

	out->id = BPF_CORE_READ(css, cgroup, kn, id);
	out->usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
	out->max_pages = BPF_CORE_READ(memcg, memory.max);
	out->high_pages = BPF_CORE_READ(memcg, memory.high);
	out->low_pages = BPF_CORE_READ(memcg, memory.low);
	out->min_pages = BPF_CORE_READ(memcg, memory.min);
	out->swap_usage_pages = BPF_CORE_READ(memcg, swap.usage.counter);
	out->swap_max_pages = BPF_CORE_READ(memcg, swap.max);
	out->flags = BPF_CORE_READ(memcg, oom_group) ? OOMBOX_CGROUP_OOM_GROUP : 0;
	fill_optional(out, memcg);
	fill_events(out, memcg);
	fill_name(s, out, css);
}

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
		css = BPF_CORE_READ(css, parent);
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
	return BPF_CORE_READ(memcg, css.cgroup);
}

#endif
