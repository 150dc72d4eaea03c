/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk over all threads of a cgroup: its css_sets' task lists and those of its descendants. It costs
 * nothing for tasks elsewhere, and is bounded in time, processes and steps, because it runs under oom_lock.
 *
 * The lists are read without their lock (css_set_lock), so they may change under the walk: no read
 * faults, every task is checked to belong to the css_set it was found in, and a lost way ends the walk with
 * OOMBOX_KILL_WALK_RACED. Works on cgroup v1 and v2 alike: a css_set hangs below each cgroup of
 * each hierarchy its tasks are in (kernel/cgroup/cgroup.c, struct cgrp_cset_link).
 */
#ifndef OOMBOX_LIB_WALK_H
#define OOMBOX_LIB_WALK_H

#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/deadline.h"
#include "bpf/lib/list.h"
#include "bpf/lib/rank.h"
#include "bpf/lib/read.h"
#include "bpf/oombox_abi.h"

static __always_inline void enter_cgroup(struct walk *w, __u64 cgroup)
{
	w->cgroup = cgroup;
	w->link = HEAD(cgroup, struct cgroup, cset_links);
	w->phase = WALK_LINKS;
}

static __always_inline void step_tasks(struct scratch *s, struct walk *w)
{
	struct task_struct *task;

	if (w->node == HEAD(w->cset, struct css_set, tasks)) {
		w->phase = WALK_LINKS;
		return;
	}
	task = ENTRY(w->node, struct task_struct, cg_list);
	if ((__u64)READ(task, cgroups) != w->cset) {
		s->record.flags |= OOMBOX_KILL_WALK_RACED;
		w->phase = WALK_LINKS;
		return;
	}
	visit_task(s, task);
	w->node = list_next(w->node);
}

static __always_inline void step_links(struct walk *w)
{
	struct cgrp_cset_link *link; /* a local: CO-RE would relocate w->link, too */

	w->link = list_next(w->link);
	if (w->link == HEAD(w->cgroup, struct cgroup, cset_links)) {
		w->phase = WALK_DOWN;
		return;
	}
	link = ENTRY(w->link, struct cgrp_cset_link, cset_link);
	w->cset = (__u64)READ(link, cset);
	w->node = list_next(HEAD(w->cset, struct css_set, tasks));
	w->phase = WALK_TASKS;
}

static __always_inline __u64 cgroup_of_sibling(__u64 sibling)
{
	struct cgroup_subsys_state *self = ENTRY(sibling, struct cgroup_subsys_state, sibling);

	return (__u64)ENTRY(self, struct cgroup, self);
}

static __always_inline void step_down(struct walk *w)
{
	__u64 children = HEAD(HEAD(w->cgroup, struct cgroup, self), struct cgroup_subsys_state,
			      children);
	__u64 first = list_next(children);

	if (first == children)
		w->phase = WALK_UP;
	else
		enter_cgroup(w, cgroup_of_sibling(first));
}

static __always_inline void step_up(struct walk *w)
{
	struct cgroup *cgroup = (struct cgroup *)w->cgroup;
	__u64 parent, next;

	if (w->cgroup == w->root) {
		w->phase = WALK_DONE;
		return;
	}
	parent = (__u64)READ(cgroup, self.parent);
	next = (__u64)READ(cgroup, self.sibling.next);
	if (next == HEAD(parent, struct cgroup_subsys_state, children))
		w->cgroup = (__u64)ENTRY(parent, struct cgroup, self);
	else
		enter_cgroup(w, cgroup_of_sibling(next));
}

static long walk_step(__u32 index, void *ctx)
{
	struct scratch *s = get_scratch();
	struct walk *w;

	if (!s)
		return 1;
	w = &s->walk;
	if (w->phase == WALK_DONE)
		return 1;
	w->steps++;
	if (!w->cgroup || !w->link) { /* a probe read failed: the list was taken apart */
		s->record.flags |= OOMBOX_KILL_WALK_RACED;
		return 1;
	}
	if (s->record.walk_processes >= OOMBOX_MAX_WALK || walk_is_late(s)) {
		s->record.flags |= OOMBOX_KILL_WALK_CUT;
		return 1;
	}
	switch (w->phase) {
	case WALK_TASKS:
		step_tasks(s, w);
		break;
	case WALK_LINKS:
		step_links(w);
		break;
	case WALK_DOWN:
		step_down(w);
		break;
	default:
		step_up(w);
		break;
	}
	return 0;
}

/* Bounds what the processes do not: cgroups, css_sets, kernel threads, further threads of a process. */
#define MAX_STEPS (OOMBOX_MAX_WALK * 4)

static __always_inline void rank_users(struct scratch *s, struct cgroup *root)
{
	struct walk *w = &s->walk;

	__builtin_memset(w, 0, sizeof(*w));
	w->root = (__u64)root;
	enter_cgroup(w, (__u64)root);
	bpf_loop(MAX_STEPS, walk_step, 0, 0);
	if (w->phase != WALK_DONE && w->steps >= MAX_STEPS)
		s->record.flags |= OOMBOX_KILL_WALK_CUT;
}

#endif
