/* SPDX-License-Identifier: GPL-2.0-only */
/* What the processes of this node were started as: who held memory beside a victim cannot be asked at the
 * kill, since the memory of others is out of reach there. Kept from exec to exit, inherited by fork. */
#ifndef OOMBOX_LIB_STARTED_H
#define OOMBOX_LIB_STARTED_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/oombox_abi.h"

struct started {
	__u64 start_boottime_ns; /* of the process: a pid is used again */
	__u32 length;		 /* of the whole command line */
	__u32 pad;
	char bytes[OOMBOX_MAX_CMDLINE];
};

/* By tgid. LRU only for what an exit was missed of, and for a node with more processes than this. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct started);
} started_as SEC(".maps");

/* Too big for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct started);
} started_scratch SEC(".maps");

static __always_inline __u64 start_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/* Null when it is not known: older than the programs, or pushed out. */
static __always_inline struct started *find_started(__u32 tgid, __u64 start_boottime_ns)
{
	struct started *known = bpf_map_lookup_elem(&started_as, &tgid);

	return known && known->start_boottime_ns == start_boottime_ns ? known : 0;
}

/* In the context of the task, whose new memory is in place. */
static __always_inline void keep_started(struct task_struct *task)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u64 begin = BPF_CORE_READ(task, mm, arg_start);
	__u64 bytes = BPF_CORE_READ(task, mm, arg_end) - begin;
	struct started *fresh;
	__u32 zero = 0;

	fresh = bpf_map_lookup_elem(&started_scratch, &zero);
	if (!fresh)
		return;
	fresh->start_boottime_ns = start_of(task);
	fresh->length = bytes > 0xffffffff ? 0xffffffff : bytes;
	__builtin_memset(fresh->bytes, 0, sizeof(fresh->bytes));
	asm volatile("" : "+r"(bytes)); /* one register for the check and the use */
	if (bytes > sizeof(fresh->bytes))
		bytes = sizeof(fresh->bytes);
	if (bpf_probe_read_user(fresh->bytes, bytes, (void *)begin))
		bpf_map_delete_elem(&started_as, &tgid); /* what it was before */
	else
		bpf_map_update_elem(&started_as, &tgid, fresh, BPF_ANY);
}

/* A new process is what its parent is, until it calls exec. */
static __always_inline void inherit_started(struct task_struct *parent, struct task_struct *child)
{
	__u32 from = BPF_CORE_READ(parent, tgid), to = BPF_CORE_READ(child, tgid);
	struct started *known, *fresh;
	__u32 zero = 0;

	if (from == to) /* a thread */
		return;
	known = find_started(from, start_of(parent));
	fresh = bpf_map_lookup_elem(&started_scratch, &zero);
	if (!known || !fresh)
		return;
	__builtin_memcpy(fresh->bytes, known->bytes, sizeof(fresh->bytes));
	fresh->length = known->length;
	fresh->start_boottime_ns = start_of(child);
	bpf_map_update_elem(&started_as, &to, fresh, BPF_ANY);
}

/* The last of its threads: only now, since a process may go on without its first one. */
static __always_inline void forget_started(struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);

	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		bpf_map_delete_elem(&started_as, &tgid);
}

#endif
