/* SPDX-License-Identifier: GPL-2.0-only */
/* SIGKILLs of the kernel itself (SEND_SIG_PRIV): the first half of a kill, or what goes with one. */
#ifndef OOMBOX_LIB_PAIR_H
#define OOMBOX_LIB_PAIR_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/counters.h"
#include "bpf/lib/episode.h"
#include "bpf/lib/signal.h"
#include "bpf/oombox_abi.h"

#define PF_EXITING 0x4 /* include/linux/sched.h */

static __always_inline bool current_is_exiting(void)
{
	struct task_struct *current_task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(current_task, flags) & PF_EXITING;
}

/* The init of a pid namespace signals all of it when it dies (zap_pid_ns_processes). */
static __always_inline void on_teardown(struct task_struct *task)
{
	struct victim_state *victim = current_victim();

	if (victim)
		record_signal(OOMBOX_SIGNAL_COLLATERAL, task, victim->episode_tgid,
			      victim->episode_start_boottime_ns);
}

/* The mark is to come. */
static __always_inline void await_mark(struct trigger_state *state, struct task_struct *task,
				       __u64 now)
{
	state->victim = (__u64)task;
	state->victim_tid = BPF_CORE_READ(task, pid);
	state->signal_ns = now;
}

/* A victim on another CPU leaves its command line before the mark if it can; it cannot before the sender lets
 * go of its siglock, which is held here. Not the sender itself: its own mark comes first, and RLIMIT_CPU and
 * bpf_send_signal() end a process in the same way, which is no kill. */
static __always_inline void remember_other(const struct trigger_state *state,
					   struct task_struct *task, __u64 now)
{
	if ((__u32)BPF_CORE_READ(task, tgid) != bpf_get_current_pid_tgid() >> 32)
		remember_victim(state, task, now);
}

/* An mm_struct is used again: who began after the victim died has another one. */
static __always_inline bool has_latest_mm(const struct trigger_state *state,
					  struct task_struct *task)
{
	return state->mm && (__u64)BPF_CORE_READ(task, mm) == state->mm &&
	       BPF_CORE_READ(task, group_leader, start_boottime) < state->episode_ns;
}

/* With the latest victim, in the same run of the OOM killer. */
static __always_inline bool shares_memory(const struct trigger_state *state,
					  struct task_struct *task, __u64 now)
{
	return is_recent(state, now) && has_latest_mm(state, task);
}

/* In a group kill the kernel counts and signals every member, also one that is marked already and still has its
 * memory; such a one is not marked again, because TIF_MEMDIE is set (mark_oom_victim): a count without a record.
 * The first victim always, once. An earlier run's, too, that is slow to die; told from a signal to who shares the
 * latest victim's memory, and from RLIMIT_CPU, which sends SIGKILL with SEND_SIG_PRIV, too, from the process to
 * itself. However late either is: lines on a slow console lie between the mark of one and the signal to the next. */
static __always_inline bool is_counted_again(struct trigger_state *state, struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);

	if (!state->group_id || !BPF_CORE_READ(task, signal, oom_mm))
		return false;
	if (tgid == state->episode_tgid && BPF_CORE_READ(task, group_leader, start_boottime) ==
						   state->episode_start_boottime_ns) {
		if (state->double_seen)
			return false;
		state->double_seen = 1;
		return true;
	}
	return tgid != bpf_get_current_pid_tgid() >> 32 && !has_latest_mm(state, task);
}

static __always_inline void pair_with_mark(struct task_struct *task, __u64 now)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct trigger_state *state = bpf_map_lookup_elem(&triggers, &tid);
	struct trigger_state fresh = {};

	if (!state) {
		remember_other(&fresh, task, now);
		await_mark(&fresh, task, now);
		if (bpf_map_update_elem(&triggers, &tid, &fresh, BPF_ANY))
			COUNT(pending_full);
		return;
	}
	if (is_counted_again(state, task)) {
		state->mm = (__u64)BPF_CORE_READ(task, mm); /* whose sharers are signalled next */
		COUNT(double_counted);
		return;
	}
	/* In a group kill it may be marked as well. */
	if (shares_memory(state, task, now))
		record_signal(OOMBOX_SIGNAL_SHARER, task, state->episode_tgid,
			      state->episode_start_boottime_ns);
	else
		remember_other(state, task, now);
	await_mark(state, task, now);
}

/* Who delivers a SIGKILL to itself is not in the OOM killer: the one it waits to see marked came from elsewhere
 * (RLIMIT_CPU, kernel/time/posix-cpu-timers.c), and a mark that follows would be of a task already dying. */
static __always_inline void forget_awaited(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct trigger_state *state = bpf_map_lookup_elem(&triggers, &tid);

	if (state)
		state->victim = 0;
}

static __always_inline void on_priv_kill(struct task_struct *task)
{
	__u64 begin = bpf_ktime_get_boot_ns();

	if (current_is_exiting())
		on_teardown(task);
	else
		pair_with_mark(task, begin);
	count_run_time(bpf_ktime_get_boot_ns() - begin);
}

#endif
