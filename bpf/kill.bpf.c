// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kill: one record for each process the OOM killer kills, made while it is being killed.
 *
 * __oom_kill_process() (mm/oom_kill.c) sends the victim SIGKILL with SEND_SIG_PRIV and right after it calls
 * mark_oom_victim(), both from the same task, under oom_lock. The pair gives the victim's task_struct on
 * every kernel (some pass mark_victim only a pid) and tells real kills from marks on tasks that were dying
 * already (task_will_free_mem(): no signal).
 */
#include <linux/types.h>
#include <stdbool.h>

#include "bpf/kernel_types.h"

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lib/brake.h"
#include "bpf/lib/cmdline.h"
#include "bpf/lib/counters.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/episode.h"
#include "bpf/lib/exact.h"
#include "bpf/lib/memcg.h"
#include "bpf/lib/pair.h"
#include "bpf/lib/record.h"
#include "bpf/lib/same_run.h"
#include "bpf/lib/signal.h"
#include "bpf/lib/task.h"
#include "bpf/oombox_abi.h"
#include "bpf/oombox_pinned.h"

char LICENSE[] SEC("license") = "GPL";

#define SIGKILL 9
/* include/trace/events/signal.h: neither ignored (an init's own children cannot kill it) nor pending already. */
#define TRACE_SIGNAL_DELIVERED 0
#define SEND_SIG_PRIV 1 /* include/linux/sched/signal.h: (struct kernel_siginfo *)1 */

/*
 * signal_generate: at the end of __send_signal_locked() (kernel/signal.c), for every signal, in the context
 * of the sender, the receiver's sighand lock held. Its arguments are the same on all kernels since 3.x.
 * Costs ~50 ns for a signal that is not ours.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal_generate, int sig, struct kernel_siginfo *info, struct task_struct *task,
	     int group, int result)
{
	if (sig != SIGKILL)
		return 0;
	if ((__u64)info == SEND_SIG_PRIV)
		on_priv_kill(task);
	else if (result == TRACE_SIGNAL_DELIVERED && is_container_init(task) &&
		 !BPF_CORE_READ(task, signal, oom_mm)) /* an OOM kill's victim is told of already */
		record_signal(OOMBOX_SIGNAL_INIT_KILLED, task, 0, 0);
	return 0;
}

static __always_inline void search_stack(struct scratch *s, const struct trigger_state *state,
					 void *ctx, struct task_struct *task)
{
	const struct suspects suspects = {
		.victim = (__u64)task,
		.leader = (__u64)BPF_CORE_READ(task, group_leader),
		.first = state->chosen ? state->chosen : (__u64)task,
	};

	find_candidates(s, ctx, &suspects);
}

/* Whose limit it was: the kernel's decision where it is found, else what usage and limits say. */
static __always_inline void decide(struct scratch *s, struct trigger_state *state)
{
	state->chosen = find_decision(s);
	if (!state->chosen)
		COUNT(decisions_missed);
	s->fired_level = fired_level(s);
}

/* A trigger that killed a group before may kill somebody else: known when the cgroups are. */
static __always_inline void correct_episode(const struct oombox_kill_record *rec)
{
	__u32 tgid = rec->victim.tgid;
	struct victim_state *victim = bpf_map_lookup_elem(&victims, &tgid);

	if (!victim)
		return;
	victim->episode_tgid = rec->episode_tgid;
	victim->episode_start_boottime_ns = rec->episode_start_boottime_ns;
}

static __always_inline void fill_kill(struct scratch *s, struct trigger_state *state, void *ctx,
				      struct task_struct *task, __u64 now, bool walk)
{
	struct cgroup_subsys_state *css = memory_css(BPF_CORE_READ(task, cgroups));
	__u64 chosen_before = state->chosen;
	struct cgroup *ranked;

	begin_record(s, now);
	search_stack(s, state, ctx, task);
	fill_actors(&s->record, task);
	if (walk)
		fill_exact(s, &s->record.victim, (__u64)BPF_CORE_READ(task, mm));
	if (!css) {
		s->record.flags |= OOMBOX_KILL_NO_MEMCG;
	} else {
		if (BPF_CORE_READ(css, cgroup, root, hierarchy_id) != 0)
			s->record.flags |= OOMBOX_KILL_CGROUP_V1;
		fill_levels(s, css);
		if (!trigger_is_below_inferred(s))
			s->record.flags |= OOMBOX_KILL_TRIGGER_OUTSIDE;
	}
	decide(s, state);
	join_episode(s, state, now,
		     is_same_run(chosen_before, state->chosen, (__u64)task,
				 (__u64)BPF_CORE_READ(task, group_leader)));
	correct_episode(&s->record);
	state->mm = (__u64)BPF_CORE_READ(task, mm);
	if (s->record.flags & OOMBOX_KILL_GROUP_MEMBER)
		return;
	ranked = cgroup_to_rank(s);
	if (walk && ranked)
		rank(s, ranked, task);
	add_parts(s, ctx, task);
}

static __always_inline int marked(void *ctx, __u32 pid, struct task_struct *known, bool walk)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct trigger_state *state = bpf_map_lookup_elem(&triggers, &tid);
	__u64 now = bpf_ktime_get_boot_ns();
	struct task_struct *task;
	struct scratch *s;

	/* The other build has recorded it, during an upgrade. */
	if (state && !state->victim && state->victim_tid == pid &&
	    state->episode_ns >= state->signal_ns && is_recent(state, now))
		return 0;
	if (!state || !state->victim || state->victim_tid != pid ||
	    now - state->signal_ns > PAIR_MAX_AGE_NS) {
		COUNT(already_dying);
		if (known)
			record_signal(OOMBOX_SIGNAL_ALREADY_DYING, known, 0, 0);
		return 0;
	}
	task = (struct task_struct *)state->victim;
	state->victim = 0;
	remember_victim(state, task, now);
	s = get_scratch();
	if (!s)
		return 0;
	fill_kill(s, state, ctx, task, now, walk);
	submit(s, now);
	if (!(s->record.flags & OOMBOX_KILL_GROUP_MEMBER))
		record_users(s);
	count_run_time(bpf_ktime_get_boot_ns() - now);
	return 0;
}

/*
 * mark_victim: in mark_oom_victim(), right after TIF_MEMDIE was set, under oom_lock and the victim's
 * task_lock: task, mm and cgroup of the victim are alive. In the context of the trigger: user memory of the
 * victim cannot be read.
 *
 * Its prototype is (int pid) up to 6.8 and (task, uid) later, but was ported back to stable kernels: the
 * loader asks BTF, never the version. The walk needs bpf_loop (5.17): without it a variant without ranking
 * is loaded, since an older kernel refuses the whole program for the callback alone.
 */
SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_task, struct task_struct *task)
{
	return marked(ctx, BPF_CORE_READ(task, pid), task, true);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_task_no_walk, struct task_struct *task)
{
	return marked(ctx, BPF_CORE_READ(task, pid), task, false);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_pid, int pid)
{
	return marked(ctx, pid, 0, true);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_pid_no_walk, int pid)
{
	return marked(ctx, pid, 0, false);
}

/*
 * signal_deliver: in get_signal() of each thread that dies of the SIGKILL, in its own context, before
 * do_exit() gives up the memory. A look-up for a SIGKILL that is no OOM kill's.
 */
SEC("tp_btf/signal_deliver")
int BPF_PROG(on_signal_deliver, int sig)
{
	struct victim_state *victim;

	if (sig != SIGKILL)
		return 0;
	forget_awaited();
	victim = current_victim();
	if (!victim || victim->cmdline_taken)
		return 0;
	victim->cmdline_taken = 1; /* two threads at once: the reader takes the first */
	record_cmdline(victim);
	return 0;
}

/*
 * sched_process_exec: at the end of bprm_execve(), in the context of who called exec. sched_process_fork: in
 * kernel_clone(), before the child runs; sched_process_exit: in do_exit(), of each thread. Optional, and nothing
 * else depends on them; tests/bench measures what they add to a process.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	keep_started(task);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	inherit_started(parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	forget_started(task);
	return 0;
}

/*
 * console: in printk_sprint() (kernel/printk/printk.c) for each line of the kernel's log, in the context of who
 * prints, since Linux 5.19; before, it fires elsewhere, and is not attached. out_of_memory() (mm/oom_kill.c) prints this line, and nothing else tells, when it finds nobody.
 */
SEC("tp_btf/console")
int BPF_PROG(on_console, const char *text)
{
	const char nobody[] = "Out of memory and no killable";
	char line[sizeof(nobody) - 1];
	__u32 i;

	if (bpf_probe_read_kernel(line, sizeof(line), text))
		return 0;
	for (i = 0; i < sizeof(line); i++)
		if (line[i] != nobody[i])
			return 0;
	record_signal(OOMBOX_SIGNAL_NO_VICTIM, (struct task_struct *)bpf_get_current_task(), 0, 0);
	return 0;
}
