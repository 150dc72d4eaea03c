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

#include "bpf/lib/counters.h"
#include "bpf/lib/memcg.h"
#include "bpf/lib/rank.h"
#include "bpf/lib/task.h"
#include "bpf/lib/walk.h"
#include "bpf/oombox_abi.h"
#include "bpf/oombox_pinned.h"

char LICENSE[] SEC("license") = "GPL";

#define SIGKILL 9
#define PF_EXITING 0x4 /* include/linux/sched.h */
#define SEND_SIG_PRIV 1 /* include/linux/sched/signal.h: (struct kernel_siginfo *)1 */

/* A kill and its mark are microseconds apart; a group kill of thousands takes longer. */
#define PAIR_MAX_AGE_NS (1000ULL * 1000 * 1000)

#define BUDGET_PERIOD_NS (1000ULL * 1000 * 1000)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} kill_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct oombox_attachment);
} attachment SEC(".maps");

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
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct trigger_state);
} triggers SEC(".maps");

static __always_inline bool current_is_exiting(void)
{
	struct task_struct *current_task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(current_task, flags) & PF_EXITING;
}

/*
 * signal_generate: at the end of __send_signal_locked() (kernel/signal.c), for every signal, in the context
 * of the sender, the receiver's sighand lock held. Its arguments are the same on all kernels since 3.x.
 * Costs ~50 ns for a signal that is not ours.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal_generate, int sig, struct kernel_siginfo *info, struct task_struct *task)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct trigger_state fresh = {};
	struct trigger_state *state;
	__u64 now;

	if (sig != SIGKILL || (__u64)info != SEND_SIG_PRIV)
		return 0;
	now = bpf_ktime_get_boot_ns();
	state = bpf_map_lookup_elem(&triggers, &tid);
	if (!state) {
		fresh.victim = (__u64)task;
		fresh.victim_tid = BPF_CORE_READ(task, pid);
		fresh.signal_ns = now;
		if (bpf_map_update_elem(&triggers, &tid, &fresh, BPF_ANY))
			COUNT(pending_full);
		return 0;
	}
	/* In a group kill the kernel counts and signals the first victim a second time; its mark is not
	 * traced again, because TIF_MEMDIE is set (mark_oom_victim). Only that one, and not by a trigger that
	 * exits: the init of a pid namespace signals all of it the same way then (zap_pid_ns_processes). */
	if (!state->double_seen && now - state->episode_ns < PAIR_MAX_AGE_NS &&
	    (__u32)BPF_CORE_READ(task, tgid) == state->episode_tgid &&
	    BPF_CORE_READ(task, signal, oom_mm) && !current_is_exiting()) {
		state->double_seen = 1;
		COUNT(double_counted);
		return 0;
	}
	state->victim = (__u64)task;
	state->victim_tid = BPF_CORE_READ(task, pid);
	state->signal_ns = now;
	return 0;
}

/* The topmost cgroup with memory.oom.group at or below the one that fired (mem_cgroup_get_oom_group). */
static __always_inline __u64 group_to_kill(const struct oombox_kill_record *rec)
{
	__u64 id = 0;
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_LEVELS; i++) {
		if (i >= rec->level_count || i > rec->fired_level)
			break;
		if (rec->levels[i].flags & OOMBOX_CGROUP_OOM_GROUP)
			id = rec->levels[i].id;
	}
	return id;
}

/*
 * An allocation that hits a cgroup's limit comes from a task below it. When the trigger is elsewhere, the full
 * cgroup may be there by chance (page cache fills a cgroup to its limit without any kill).
 */
static __always_inline bool trigger_is_below_fired(const struct oombox_kill_record *rec)
{
	struct task_struct *current_task = (struct task_struct *)bpf_get_current_task();
	struct cgroup_subsys_state *css = memory_css(BPF_CORE_READ(current_task, cgroups));
	__u32 level = rec->fired_level;
	__u64 fired;
	int i;

	if (level >= OOMBOX_MAX_LEVELS)
		return true;
	fired = rec->levels[level].id;
	for (i = 0; i < OOMBOX_MAX_LEVELS && css; i++) {
		if (BPF_CORE_READ(css, cgroup, kn, id) == fired)
			return true;
		css = BPF_CORE_READ(css, parent);
	}
	return false;
}

static __always_inline bool in_group(const struct oombox_kill_record *rec, __u64 group_id)
{
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_LEVELS && i < rec->level_count; i++)
		if (rec->levels[i].id == group_id)
			return true;
	return false;
}

/* A further victim of the same memory.oom.group, or the first of a new episode. */
static __always_inline void join_episode(struct oombox_kill_record *rec,
					 struct trigger_state *state, __u64 now)
{
	if (state->group_id && now - state->episode_ns < PAIR_MAX_AGE_NS &&
	    in_group(rec, state->group_id)) {
		rec->flags |= OOMBOX_KILL_GROUP_MEMBER;
	} else {
		state->episode_tgid = rec->victim.tgid;
		state->episode_start_boottime_ns = rec->victim.start_boottime_ns;
		state->group_id = group_to_kill(rec);
		state->double_seen = 0;
	}
	if (state->group_id)
		rec->flags |= OOMBOX_KILL_GROUP;
	state->episode_ns = now;
	rec->episode_tgid = state->episode_tgid;
	rec->episode_start_boottime_ns = state->episode_start_boottime_ns;
}

static __always_inline void fill_actors(struct oombox_kill_record *rec, struct task_struct *task)
{
	__u64 current = bpf_get_current_pid_tgid();

	fill_process(&rec->victim, task);
	rec->parent_tgid = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_STR_INTO(&rec->parent_comm, task, real_parent, comm);
	rec->trigger_tgid = current >> 32;
	rec->trigger_tid = (__u32)current;
	rec->pad = 0;
	bpf_get_current_comm(&rec->trigger_comm, sizeof(rec->trigger_comm));
}

static __always_inline void submit(struct oombox_kill_record *rec, __u64 now)
{
	__u32 names_len = rec->names_len;
	__u64 size;

	if (names_len > sizeof(rec->names))
		names_len = sizeof(rec->names);
	size = __builtin_offsetof(struct oombox_kill_record, names) + names_len;
	rec->header.type = OOMBOX_RECORD_KILL;
	rec->header.version = OOMBOX_KILL_VERSION;
	rec->header.size = size;
	rec->header.boottime_ns = now;
	COUNT(kills);
	if (bpf_ringbuf_output(&kill_ring, rec, size, BPF_RB_FORCE_WAKEUP))
		COUNT(dropped_ring_full);
	else
		COUNT(submitted);
}

static __always_inline void begin_record(struct oombox_kill_record *rec, bool walk)
{
	rec->flags = OOMBOX_KILL_NO_WALK;
	if (rss_is_percpu())
		rec->flags |= OOMBOX_KILL_RSS_PERCPU;
	rec->level_count = 0;
	rec->names_len = 0;
	rec->fired_level = OOMBOX_MAX_LEVELS;
	rec->user_count = 0;
	rec->walk_threads = 0;
	rec->walk_processes = 0;
	__builtin_memset(&rec->walk_total, 0, sizeof(rec->walk_total));
}

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
	rank_users(s, root);
	if (mm)
		put_victim(s, victim, mm);
	counters.budget_spent_ns += bpf_ktime_get_ns() - begin;
}

static __always_inline void count_run_time(__u64 ns)
{
	__sync_fetch_and_add(&counters.run_ns, ns);
	if (ns > counters.longest_run_ns)
		counters.longest_run_ns = ns;
}

static __always_inline int marked(__u32 pid, bool walk)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct trigger_state *state = bpf_map_lookup_elem(&triggers, &tid);
	__u64 now = bpf_ktime_get_boot_ns();
	struct cgroup *ranked = 0;
	struct cgroup_subsys_state *css;
	struct task_struct *task;
	struct scratch *s;

	/* The other build has recorded it, during an upgrade. */
	if (state && !state->victim && state->victim_tid == pid &&
	    state->episode_ns >= state->signal_ns && now - state->episode_ns < PAIR_MAX_AGE_NS)
		return 0;
	if (!state || !state->victim || state->victim_tid != pid ||
	    now - state->signal_ns > PAIR_MAX_AGE_NS) {
		COUNT(already_dying);
		return 0;
	}
	s = get_scratch();
	if (!s)
		return 0;
	task = (struct task_struct *)state->victim;
	state->victim = 0;

	begin_record(&s->record, walk);
	fill_actors(&s->record, task);
	css = memory_css(BPF_CORE_READ(task, cgroups));
	if (css) {
		if (BPF_CORE_READ(css, cgroup, root, hierarchy_id) != 0)
			s->record.flags |= OOMBOX_KILL_CGROUP_V1;
		ranked = fill_levels(&s->record, css);
		if (!trigger_is_below_fired(&s->record))
			s->record.flags |= OOMBOX_KILL_TRIGGER_OUTSIDE;
	} else {
		s->record.flags |= OOMBOX_KILL_NO_MEMCG;
	}
	join_episode(&s->record, state, now);
	if (walk && ranked && !(s->record.flags & OOMBOX_KILL_GROUP_MEMBER))
		rank(s, ranked, task);
	submit(&s->record, now);
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
	return marked(BPF_CORE_READ(task, pid), true);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_task_no_walk, struct task_struct *task)
{
	return marked(BPF_CORE_READ(task, pid), false);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_pid, int pid)
{
	return marked(pid, true);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_pid_no_walk, int pid)
{
	return marked(pid, false);
}
