/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines. A victim's is read by the victim itself: its memory is there until it exits, and nobody else
 * can read it (a tracepoint in the trigger sees the trigger's memory). */
#ifndef OOMBOX_LIB_CMDLINE_H
#define OOMBOX_LIB_CMDLINE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/counters.h"
#include "bpf/lib/episode.h"
#include "bpf/lib/ring.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/signal.h"
#include "bpf/lib/started.h"
#include "bpf/oombox_abi.h"

/* Of which process, in which episode. */
struct cmdline_of {
	__u64 start_boottime_ns;
	__u64 episode_start_boottime_ns;
	__u32 tgid;
	__u32 episode_tgid;
	__u32 length; /* of the whole command line */
};

/* Null, and counted, when the ring has no room. */
static __always_inline struct oombox_cmdline_record *reserve_cmdline(const struct cmdline_of *of)
{
	struct oombox_cmdline_record *rec;

	rec = bpf_ringbuf_reserve(&kill_ring, sizeof(*rec), 0);
	if (!rec) {
		COUNT(cmdlines_unread);
		return 0;
	}
	rec->header.type = OOMBOX_RECORD_CMDLINE;
	rec->header.version = OOMBOX_CMDLINE_VERSION;
	rec->header.size = sizeof(*rec);
	rec->header.boottime_ns = bpf_ktime_get_boot_ns();
	rec->tgid = of->tgid;
	rec->length = of->length;
	rec->start_boottime_ns = of->start_boottime_ns;
	rec->episode_start_boottime_ns = of->episode_start_boottime_ns;
	rec->episode_tgid = of->episode_tgid;
	rec->pad = 0;
	return rec;
}

/* What it was started as, where its memory cannot be read. */
static __always_inline void record_started(struct cmdline_of *of)
{
	struct started *known = find_started(of->tgid, of->start_boottime_ns);
	struct oombox_cmdline_record *rec;

	if (!known)
		return;
	of->length = known->length;
	rec = reserve_cmdline(of);
	if (!rec)
		return;
	__builtin_memcpy(rec->bytes, known->bytes, sizeof(rec->bytes));
	/* Wakes the reader only if it has read all before: for ten lines of one kill it is awake. */
	bpf_ringbuf_submit(rec, 0);
}

static __always_inline void record_cmdline(const struct victim_state *victim)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 begin = BPF_CORE_READ(task, mm, arg_start);
	__u64 end = BPF_CORE_READ(task, mm, arg_end);
	struct oombox_cmdline_record *rec;
	__u64 bytes = end - begin;
	struct cmdline_of of = {
		.start_boottime_ns = victim->start_boottime_ns,
		.episode_start_boottime_ns = victim->episode_start_boottime_ns,
		.tgid = bpf_get_current_pid_tgid() >> 32,
		.episode_tgid = victim->episode_tgid,
		.length = bytes > 0xffffffff ? 0xffffffff : bytes,
	};

	if (!begin || end <= begin)
		return;
	rec = reserve_cmdline(&of);
	if (!rec)
		return;
	__builtin_memset(rec->bytes, 0, sizeof(rec->bytes));
	asm volatile("" : "+r"(bytes)); /* one register for the check and the use */
	if (bytes > sizeof(rec->bytes))
		bytes = sizeof(rec->bytes);
	if (bpf_probe_read_user(rec->bytes, bytes, (void *)begin)) {
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		COUNT(cmdlines_unread); /* swapped out, or the OOM reaper was here */
		record_started(&of);
		return;
	}
	bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
}

/* Of the biggest users but the victim, which says it itself. */
static __always_inline void record_users(struct scratch *s)
{
	const struct oombox_kill_record *rec = &s->record;
	struct cmdline_of of = {
		.episode_start_boottime_ns = rec->episode_start_boottime_ns,
		.episode_tgid = rec->episode_tgid,
	};
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_USERS; i++) {
		if (i >= s->user_count || !has_room())
			return;
		of.tgid = s->users[i].tgid;
		of.start_boottime_ns = s->users[i].start_boottime_ns;
		if (of.tgid != rec->victim.tgid)
			record_started(&of);
	}
}

#endif
