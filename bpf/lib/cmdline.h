/* SPDX-License-Identifier: GPL-2.0-only */
/* A victim's command line, read by the victim itself: its memory is there until it exits, and nobody else can
 * read it (a tracepoint in the trigger sees the trigger's memory). */
#ifndef OOMBOX_LIB_CMDLINE_H
#define OOMBOX_LIB_CMDLINE_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lib/counters.h"
#include "bpf/lib/episode.h"
#include "bpf/lib/ring.h"
#include "bpf/oombox_abi.h"

static __always_inline void record_cmdline(const struct victim_state *victim)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 begin = BPF_CORE_READ(task, mm, arg_start);
	__u64 end = BPF_CORE_READ(task, mm, arg_end);
	struct oombox_cmdline_record *rec;
	__u64 bytes = end - begin;

	if (!begin || end <= begin)
		return;
	rec = bpf_ringbuf_reserve(&kill_ring, sizeof(*rec), 0);
	if (!rec) {
		COUNT(cmdlines_unread);
		return;
	}
	rec->header.type = OOMBOX_RECORD_CMDLINE;
	rec->header.version = OOMBOX_CMDLINE_VERSION;
	rec->header.size = sizeof(*rec);
	rec->header.boottime_ns = bpf_ktime_get_boot_ns();
	rec->tgid = bpf_get_current_pid_tgid() >> 32;
	rec->length = bytes > 0xffffffff ? 0xffffffff : bytes;
	rec->start_boottime_ns = victim->start_boottime_ns;
	rec->episode_start_boottime_ns = victim->episode_start_boottime_ns;
	rec->episode_tgid = victim->episode_tgid;
	rec->pad = 0;
	__builtin_memset(rec->bytes, 0, sizeof(rec->bytes));
	asm volatile("" : "+r"(bytes)); /* one register for the check and the use */
	if (bytes > sizeof(rec->bytes))
		bytes = sizeof(rec->bytes);
	if (bpf_probe_read_user(rec->bytes, bytes, (void *)begin)) {
		COUNT(cmdlines_unread); /* swapped out */
		bpf_ringbuf_discard(rec, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(rec, BPF_RB_FORCE_WAKEUP);
}

#endif
