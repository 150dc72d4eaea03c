/* SPDX-License-Identifier: GPL-2.0-only */
/* One memory cgroup: usage, limits, memory.events, name. */
#ifndef OOMBOX_LIB_LEVEL_H
#define OOMBOX_LIB_LEVEL_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/read.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/stat.h"
#include "bpf/oombox_abi.h"

static __always_inline struct mem_cgroup *memcg_of(struct cgroup_subsys_state *css)
{
	return (void *)css - bpf_core_field_offset(struct mem_cgroup, css);
}

static __always_inline void fill_name(struct scratch *s, struct oombox_cgroup *out,
				      struct cgroup_subsys_state *css)
{
	const char *name = READ(css, cgroup, kn, name);
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

static __always_inline void take_event(const struct scratch *s, struct oombox_cgroup *out,
				       __u32 item, __u64 index)
{
	out->events[item] = index < EVENT_ITEMS ? s->events[0][index] : 0;
	out->local_events[item] = index < EVENT_ITEMS ? s->events[1][index] : 0;
}

#define EVENT_INDEX(event) bpf_core_enum_value(enum memcg_memory_event, event)

/* The kill itself is counted already: out_of_memory() counts before it kills. */
static __always_inline void fill_events(struct scratch *s, struct oombox_cgroup *out,
					struct mem_cgroup *memcg)
{
	bpf_probe_read_kernel(
		s->events[0], sizeof(s->events[0]),
		(void *)memcg + bpf_core_field_offset(struct mem_cgroup, memory_events));
	bpf_probe_read_kernel(
		s->events[1], sizeof(s->events[1]),
		(void *)memcg + bpf_core_field_offset(struct mem_cgroup, memory_events_local));
	take_event(s, out, OOMBOX_EVENT_LOW, EVENT_INDEX(MEMCG_LOW));
	take_event(s, out, OOMBOX_EVENT_HIGH, EVENT_INDEX(MEMCG_HIGH));
	take_event(s, out, OOMBOX_EVENT_MAX, EVENT_INDEX(MEMCG_MAX));
	take_event(s, out, OOMBOX_EVENT_OOM, EVENT_INDEX(MEMCG_OOM));
	take_event(s, out, OOMBOX_EVENT_OOM_KILL, EVENT_INDEX(MEMCG_OOM_KILL));
	out->events[OOMBOX_EVENT_OOM_GROUP_KILL] = 0;
	out->local_events[OOMBOX_EVENT_OOM_GROUP_KILL] = 0;
	if (bpf_core_enum_value_exists(enum memcg_memory_event, MEMCG_OOM_GROUP_KILL)) {
		/* It follows MEMCG_OOM_KILL. Not by its own value: clang may move that before the
		 * question, and a kernel without it refuses the instruction. */
		take_event(s, out, OOMBOX_EVENT_OOM_GROUP_KILL,
			   EVENT_INDEX(MEMCG_OOM_KILL) + 1);
		out->flags |= OOMBOX_CGROUP_GROUP_KILLS;
	}
}

/* Fields that a kernel's configuration or version may lack. */
static __always_inline void fill_optional(const struct scratch *s, struct oombox_cgroup *out,
					  struct mem_cgroup *memcg)
{
	out->zswap_max_pages = 0;
	out->kmem_usage_pages = 0;
	out->kmem_max_pages = 0;
	out->tcp_usage_pages = 0;
	out->tcp_max_pages = 0;
	if (bpf_core_field_exists(memcg->zswap_max)) {
		out->zswap_max_pages = READ(memcg, zswap_max);
		out->flags |= OOMBOX_CGROUP_ZSWAP;
	}
	if (read_zswap_usage(s, &out->zswap_usage_bytes, memcg))
		out->flags |= OOMBOX_CGROUP_ZSWAP_USAGE;
	if (bpf_core_field_exists(memcg->kmem) && bpf_core_field_exists(memcg->tcpmem)) {
		out->kmem_usage_pages = READ(memcg, kmem.usage.counter);
		out->kmem_max_pages = READ(memcg, kmem.max);
		out->tcp_usage_pages = READ(memcg, tcpmem.usage.counter);
		out->tcp_max_pages = READ(memcg, tcpmem.max);
		out->flags |= OOMBOX_CGROUP_KMEM;
	}
	/* Not a plain load: it is a bool or an int. */
	if (bpf_core_field_exists(memcg->oom_kill_disable) &&
	    BPF_CORE_READ(memcg, oom_kill_disable))
		out->flags |= OOMBOX_CGROUP_OOM_DISABLED;
}

static __always_inline void fill_level(struct scratch *s, struct oombox_cgroup *out,
				       struct cgroup_subsys_state *css)
{
	struct mem_cgroup *memcg = memcg_of(css);

	out->id = READ(css, cgroup, kn, id);
	out->usage_pages = READ(memcg, memory.usage.counter);
	out->max_pages = READ(memcg, memory.max);
	out->high_pages = READ(memcg, memory.high);
	out->low_pages = READ(memcg, memory.low);
	out->min_pages = READ(memcg, memory.min);
	out->swap_usage_pages = READ(memcg, swap.usage.counter);
	out->swap_max_pages = READ(memcg, swap.max);
	out->flags = READ(memcg, oom_group) ? OOMBOX_CGROUP_OOM_GROUP : 0;
	fill_optional(s, out, memcg);
	fill_events(s, out, memcg);
	fill_name(s, out, css);
}

#endif
