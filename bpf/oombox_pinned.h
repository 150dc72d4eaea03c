/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What both worlds share beside records: the maps that are pinned and outlive an agent. Plain C and fixed-width
 * integers, as in oombox_abi.h; checked against the object's BTF (tests/unit/bpf/abi_test.cc).
 */
#ifndef OOMBOX_PINNED_H
#define OOMBOX_PINNED_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/*
 * Names the folder of the pins, abi<N>. The maps below it outlive an agent and are shared by two builds
 * during an upgrade: whoever changes the layout of struct oombox_kill_counters, oombox_attachment or
 * trigger_state (kill.bpf.c), other than by using up what is reserved, raises it.
 */
#ifndef OOMBOX_PIN_ABI
#define OOMBOX_PIN_ABI 2
#endif

/* Counters since the programs were attached: the object's .bss, pinned, mapped by the agent. */
struct oombox_kill_counters {
	__u64 kills;		/* marks paired with their SIGKILL */
	__u64 submitted;	/* records in the ring */
	__u64 dropped_ring_full;
	__u64 double_counted;	/* SIGKILL to a victim that was marked already: counted again */
	__u64 already_dying;	/* marks without SIGKILL: no kill */
	__u64 pending_full;	/* pairs lost because the pairing map was full: kill without pair */
	__u64 rankings_skipped;	/* kills whose ranking was over its time budget */
	/* Time spent on marks, ranking included, and on the kernel's own SIGKILLs (SEND_SIG_PRIV), which come
	 * in pairs with them; not on other signals, nor on command lines, which no lock waits for. */
	__u64 run_ns;
	__u64 longest_run_ns;	/* of one of them; best effort where signals run at the same time */
	__u64 budget_begin_ns;	/* of the second that the ranking's time is measured in */
	__u64 budget_spent_ns;
	__u64 signals_skipped;	/* records of signals that are no kill: too many, or no room */
	__u64 signal_begin_ns;	/* of the second that they are counted in */
	__u64 signals_in_period;
	__u64 decisions_missed;	/* kills whose struct oom_control was not found */
	__u64 cmdlines_unread;	/* victims whose command line could not be read any more */
	__u64 reserved[16];
};

enum oombox_base_state {
	OOMBOX_BASE_NOT_READ = 0,
	OOMBOX_BASE_READ = 1,
	OOMBOX_BASE_UNREADABLE = 2, /* /proc/vmstat has no oom_kill */
};

/*
 * A loss that becomes a gap event. Both are totals since the base: `telling` is noted before the event is
 * made, `told` when it is stored, so that an agent killed in between tells the same again.
 */
struct oombox_told {
	__u64 told;
	__u64 telling;
};

enum oombox_absence_state {
	OOMBOX_ABSENCE_NOT_LOOKED = 0,
	OOMBOX_ABSENCE_TELLING = 1, /* absence_kills is what has to be told */
	OOMBOX_ABSENCE_TOLD = 2,
};

/* What user space knows of the attached programs: written by the agent, outlives it when pinned. */
struct oombox_attachment {
	__u64 object_id;	/* of the BPF object that is attached; 0 until it is */
	/* When programs were attached where none were: a replacement without a pause does not count. */
	__u64 attach_wall_ns;
	__u64 attach_boottime_ns;
	__u64 unused;
	/* The kernel's count and ours at one moment after that (base_boottime_ns): where the identity begins.
	 * What was recorded before it is an earlier kill, whoever recorded it. */
	__u64 base_state;	/* enum oombox_base_state */
	__u64 base_kernel_kills;
	__u64 base_kills;
	__u64 base_double_counted;
	__u64 base_dropped_ring_full;
	/* Events that the agent's store had counted before; a hash of its epoch tells whose count it is. */
	__u64 base_store;
	__u64 base_events;
	/* Recursion misses of programs that were replaced. */
	__u64 recursion_misses_before;
	/* Kills between the last agreement and the attachment. */
	__u64 absence_state;	/* enum oombox_absence_state */
	__u64 absence_kills;
	/* Id of the last entry of the journal (agent/store/journal_id.h): should the file be damaged, it tells
	 * how many kills were in it. */
	__u64 journal_last_id;
	struct oombox_told ring_full;
	struct oombox_told recursion;
	struct oombox_told unexplained;
	struct oombox_told damaged;
	/* Time the ranking may take in one second; read by the programs. 0: no ranking. */
	__u64 rank_budget_ns;
	/* The end of the earlier boot was not watched up to its end: told with absence_kills. */
	__u64 absence_unknown;
	/* The journal's last id when the attachment began, or when journal and store were found new. */
	__u64 base_journal_id;
	/* Journal and store were both found new: when, and the kills that had been captured until then.
	 * How many of them a collector has is not known here. `gone_told`: the moment that is a gap event. */
	__u64 kills_of_earlier_journals; /* captured into journals that are gone; their events are stored */
	__u64 gone_wall_ns;
	__u64 gone_kills;
	__u64 gone_told;
	__u64 base_boottime_ns; /* 0: as attach_boottime_ns (written by an earlier build) */
	__u64 reserved[1];
};

#endif /* OOMBOX_PINNED_H */
