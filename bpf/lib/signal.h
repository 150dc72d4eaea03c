/* SPDX-License-Identifier: GPL-2.0-only */
/* SIGKILLs beside the marks: records of their own, few and small. */
#ifndef OOMBOX_LIB_SIGNAL_H
#define OOMBOX_LIB_SIGNAL_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/counters.h"
#include "bpf/lib/episode.h"
#include "bpf/lib/ring.h"
#include "bpf/lib/task.h"
#include "bpf/oombox_abi.h"

/* Whoever can make processes can make these: they must not take the room of kills. */
#define SIGNALS_PER_SECOND 64
#define COMMON_SIGNALS_PER_SECOND 16 /* of them those that anybody can cause, so that these leave room */
#define SECOND_NS (1000ULL * 1000 * 1000)

/* Names the types that only ring memory has, so that the object's BTF tells their layout. */
const volatile struct oombox_signal_record *const layout_of_signal = 0;
const volatile struct oombox_cmdline_record *const layout_of_cmdline = 0;

static __always_inline bool may_record_signal(enum oombox_signal_kind kind, __u64 now)
{
	bool common = kind == OOMBOX_SIGNAL_INIT_KILLED || kind == OOMBOX_SIGNAL_ALREADY_DYING;
	__u64 limit = common ? COMMON_SIGNALS_PER_SECOND : SIGNALS_PER_SECOND;

	if (now - counters.signal_begin_ns > SECOND_NS) {
		counters.signal_begin_ns = now;
		counters.signals_in_period = 0;
	}
	if (counters.signals_in_period >= limit)
		return false;
	__sync_fetch_and_add(&counters.signals_in_period, 1);
	return true;
}

/* Kills come first: what is beside them takes a quarter of the ring at most. */
static __always_inline bool has_room(void)
{
	return bpf_ringbuf_query(&kill_ring, BPF_RB_AVAIL_DATA) <
	       bpf_ringbuf_query(&kill_ring, BPF_RB_RING_SIZE) / 4;
}

static __always_inline void fill_cgroup_tail(struct oombox_cgroup_tail *out,
					     struct task_struct *task)
{
	struct cgroup_subsys_state *css = memory_css(BPF_CORE_READ(task, cgroups));
	struct cgroup_subsys_state *parent = BPF_CORE_READ(css, parent);

	out->id = BPF_CORE_READ(css, cgroup, kn, id);
	out->name[0] = 0;
	out->parent_name[0] = 0;
	bpf_probe_read_kernel_str(out->name, sizeof(out->name),
				  BPF_CORE_READ(css, cgroup, kn, name));
	if (parent)
		bpf_probe_read_kernel_str(out->parent_name, sizeof(out->parent_name),
					  BPF_CORE_READ(parent, cgroup, kn, name));
}

static __always_inline void record_signal(enum oombox_signal_kind kind, struct task_struct *target,
					  __u32 episode_tgid, __u64 episode_start_boottime_ns)
{
	__u64 now = bpf_ktime_get_boot_ns();
	__u64 current = bpf_get_current_pid_tgid();
	struct oombox_signal_record *rec;

	if (!has_room() || !may_record_signal(kind, now)) {
		COUNT(signals_skipped);
		return;
	}
	rec = bpf_ringbuf_reserve(&kill_ring, sizeof(*rec), 0);
	if (!rec) {
		COUNT(signals_skipped);
		return;
	}
	rec->header.type = OOMBOX_RECORD_SIGNAL;
	rec->header.version = OOMBOX_SIGNAL_VERSION;
	rec->header.size = sizeof(*rec);
	rec->header.boottime_ns = now;
	rec->kind = kind;
	rec->episode_tgid = episode_tgid;
	rec->episode_start_boottime_ns = episode_start_boottime_ns;
	rec->sender_tgid = current >> 32;
	rec->sender_tid = (__u32)current;
	bpf_get_current_comm(&rec->sender_comm, sizeof(rec->sender_comm));
	fill_process(&rec->target, target);
	fill_cgroup_tail(&rec->target_cgroup, target);
	fill_cgroup_tail(&rec->sender_cgroup, (struct task_struct *)bpf_get_current_task());
	bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
}

#endif
