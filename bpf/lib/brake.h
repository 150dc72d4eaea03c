/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranking within its time budget. */
#ifndef OOMBOX_LIB_BRAKE_H
#define OOMBOX_LIB_BRAKE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/counters.h"
#include "bpf/lib/deadline.h"
#include "bpf/lib/exact.h"
#include "bpf/lib/rank.h"
#include "bpf/lib/walk.h"
#include "bpf/oombox_pinned.h"

#define BUDGET_PERIOD_NS (1000ULL * 1000 * 1000)
/* What one ranking can cost at most, on a slow machine. */
#define ONE_RANKING_NS (5ULL * 1000 * 1000)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct oombox_attachment);
} attachment SEC(".maps");

/* The brake: ranking runs under oom_lock, so a storm of kills in a full cgroup could cost the node more than
 * it is worth. Not atomic: marks are serialized by oom_lock. */
static __always_inline bool may_rank(__u64 now)
{
	struct oombox_attachment *settings;
	__u32 zero = 0;

	settings = bpf_map_lookup_elem(&attachment, &zero);
	if (!settings)
		return false;
	if (now - counters.budget_begin_ns > BUDGET_PERIOD_NS) {
		counters.budget_begin_ns = now;
		counters.budget_spent_ns = 0;
	}
	return counters.budget_spent_ns < settings->rank_budget_ns;
}

/* A ranking ends in time by itself (deadline.h). Where the clock says much more than that, the host of a virtual
 * machine took the CPU away meanwhile, most likely: once alone, that does not cost the next kill its ranking. */
static __always_inline void spend(__u64 ns)
{
	counters.budget_spent_ns += ns < ONE_RANKING_NS ? ns : ONE_RANKING_NS;
}

static __always_inline void sum_users(struct scratch *s)
{
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_USERS && can_sum(); i++) {
		if (i >= s->user_count)
			return;
		if (sums_are_late(s, i * possible_cpus)) {
			s->record.flags |= OOMBOX_KILL_SUMS_CUT;
			return;
		}
		fill_exact(s, &s->users[i], s->user_mm[i]);
	}
}

/* A walk that was cut may have missed the victim: it takes the lightest user's place then. */
static __always_inline void rank(struct scratch *s, struct cgroup *root, struct task_struct *victim)
{
	__u64 mm = (__u64)BPF_CORE_READ(victim, mm);
	__u64 begin = bpf_ktime_get_ns();

	if (!may_rank(begin)) {
		s->record.flags |= OOMBOX_KILL_WALK_BRAKED;
		COUNT(rankings_skipped);
		return;
	}
	s->record.flags &= ~OOMBOX_KILL_NO_WALK;
	s->record.walked_cgroup_id = BPF_CORE_READ(root, kn, id);
	rank_users(s, root);
	if (mm)
		put_victim(s, victim, mm);
	sum_users(s);
	spend(bpf_ktime_get_ns() - begin);
}

#endif
