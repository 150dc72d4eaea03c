/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An episode is one run of the OOM killer: one trigger, one or more victims. What a trigger is doing is
 * remembered between its signal and its mark, and from one victim to the next.
 */
#ifndef OOMBOX_LIB_EPISODE_H
#define OOMBOX_LIB_EPISODE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/memcg.h"
#include "bpf/lib/scratch.h"
#include "bpf/oombox_abi.h"

/* A kill and its mark are microseconds apart. */
#define PAIR_MAX_AGE_NS (1000ULL * 1000 * 1000)

/* By the tid of the task in which the OOM killer runs. Shared by two builds during an upgrade: the one that
 * finds the pair first takes it, so that a kill is one record even while both are attached. */
struct trigger_state {
	__u64 victim; /* struct task_struct that was sent SIGKILL and waits for its mark; else 0 */
	__u64 signal_ns;
	/* The episode this task began last. */
	__u64 episode_ns; /* of its latest victim */
	__u64 episode_start_boottime_ns;
	__u32 episode_tgid;
	__u32 victim_tid;
	/* memory.oom.group cgroup that is being killed; 0: single kill. */
	__u64 group_id;
	/* The kernel's second signal to the first victim was seen: there is only one. */
	__u64 double_seen;
	__u64 chosen; /* struct task_struct of the episode's decision; 0: not found */
	__u64 mm;     /* struct mm_struct of the latest victim */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct trigger_state);
} triggers SEC(".maps");

/* By tgid: who is being killed, for what follows in their own context. */
struct victim_state {
	__u64 start_boottime_ns;
	__u64 episode_start_boottime_ns;
	__u32 episode_tgid;
	__u32 cmdline_taken;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct victim_state);
} victims SEC(".maps");

/* Of the current process, if it is one of them: a pid is used again. */
static __always_inline struct victim_state *current_victim(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct victim_state *victim = bpf_map_lookup_elem(&victims, &tgid);

	if (!victim ||
	    victim->start_boottime_ns != BPF_CORE_READ(task, group_leader, start_boottime))
		return 0;
	return victim;
}

static __always_inline bool is_recent(const struct trigger_state *state, __u64 now)
{
	return now - state->episode_ns < PAIR_MAX_AGE_NS;
}

/* Whether it is a further victim of a group is known for sure only when its cgroups are; a trigger that kills a
 * group does nothing else. */
static __always_inline void remember_victim(const struct trigger_state *state,
					    struct task_struct *task, __u64 now)
{
	bool member = state->group_id && is_recent(state, now);
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct victim_state *known = bpf_map_lookup_elem(&victims, &tgid);
	struct victim_state victim = {};

	victim.start_boottime_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	if (known && known->start_boottime_ns == victim.start_boottime_ns)
		return; /* its command line may be taken already */
	victim.episode_tgid = member ? state->episode_tgid : tgid;
	victim.episode_start_boottime_ns =
		member ? state->episode_start_boottime_ns : victim.start_boottime_ns;
	bpf_map_update_elem(&victims, &tgid, &victim, BPF_ANY);
}

/* The topmost cgroup with memory.oom.group at or below the one that fired (mem_cgroup_get_oom_group). */
static __always_inline __u64 group_to_kill(const struct scratch *s)
{
	__u64 id = 0;
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_LEVELS; i++) {
		if (i >= s->level_count || i > s->fired_level)
			break;
		if (s->levels[i].flags & OOMBOX_CGROUP_OOM_GROUP)
			id = s->levels[i].id;
	}
	return id;
}

static __always_inline bool in_group(const struct scratch *s, __u64 group_id)
{
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_LEVELS; i++)
		if (i < s->level_count && s->levels[i].id == group_id)
			return true;
	return false;
}

/* A further victim of the same memory.oom.group, or the first of a new episode. Where the kernel's decision
 * was not found, only time can tell. */
static __always_inline void join_episode(struct scratch *s, struct trigger_state *state, __u64 now,
					 bool same_run)
{
	struct oombox_kill_record *rec = &s->record;

	if (state->group_id && (same_run || is_recent(state, now)) &&
	    in_group(s, state->group_id)) {
		rec->flags |= OOMBOX_KILL_GROUP_MEMBER;
	} else {
		state->episode_tgid = rec->victim.tgid;
		state->episode_start_boottime_ns = rec->victim.start_boottime_ns;
		state->group_id = group_to_kill(s);
		state->double_seen = 0;
	}
	if (state->group_id)
		rec->flags |= OOMBOX_KILL_GROUP;
	state->episode_ns = now;
	rec->episode_tgid = state->episode_tgid;
	rec->episode_start_boottime_ns = state->episode_start_boottime_ns;
}

#endif
