/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The one header the kernel side (bpf/) and the user side (agent/) share: the records of the kill ring.
 *
 *  - Plain C, fixed-width integers, explicit padding, no pointers: the same layout everywhere. It is
 *    checked against the BTF of the compiled object (tests/unit/bpf/abi_test.cc).
 *  - Every record starts with a struct oombox_record_header; readers say which types they do not know.
 *  - A kill record is a fixed head and parts behind it, each an array that names its place, count and element
 *    size. An element may grow at its end: readers take what both sides know. A new part uses a free place.
 *  - The head changes only with its record's version, and then the decoder for version N-1 stays
 *    (oombox_abi_v1.h). Journals and pinned rings hold old records.
 *  - Bytes of `comm`, `exe`, names and command lines are the process's: anything may be in them.
 */
#ifndef OOMBOX_ABI_H
#define OOMBOX_ABI_H

#include "bpf/oombox_abi_cgroup.h"
#include "bpf/oombox_abi_process.h"

/* struct oom_control: what the kernel itself decided on. */
struct oombox_decision {
	__u64 cgroup_id; /* whose limit it was; 0: none's */
	__u64 total_pages; /* that it may use: what badness is measured by */
	__s64 badness_pages; /* of the chosen */
	__u32 gfp_mask;
	__s32 order; /* -1: somebody asked for a kill (sysrq-f) */
	__u32 constraint; /* 0 none, 1 cpuset, 2 memory policy, 3 memory cgroup */
	__u32 source; /* enum oombox_source; 0: the rest is unknown */
};

enum oombox_source {
	OOMBOX_SOURCE_NONE = 0,
	OOMBOX_SOURCE_STACK = 1, /* found on the kernel stack of the trigger, and checked */
};

enum oombox_kill_flags {
	OOMBOX_KILL_CGROUP_V1 = 1 << 0,
	OOMBOX_KILL_LEVELS_CUT = 1 << 1,  /* more ancestors than OOMBOX_MAX_LEVELS */
	OOMBOX_KILL_WALK_CUT = 1 << 2,	  /* more processes than OOMBOX_MAX_WALK, or than its time was for */
	OOMBOX_KILL_WALK_RACED = 1 << 3,  /* a list changed under the walk */
	OOMBOX_KILL_GROUP_MEMBER = 1 << 4, /* a further victim of `episode` */
	OOMBOX_KILL_NO_WALK = 1 << 5,	  /* this kernel or this record has no ranking */
	OOMBOX_KILL_NO_MEMCG = 1 << 6,	  /* the victim's memory cgroup could not be read */
	OOMBOX_KILL_RSS_PERCPU = 1 << 7,  /* memory counters are per CPU: approximate */
	OOMBOX_KILL_TRIGGER_OUTSIDE = 1 << 8, /* the trigger is not below inferred_level's cgroup */
	OOMBOX_KILL_GROUP = 1 << 9,	  /* memory.oom.group: more victims may follow */
	OOMBOX_KILL_WALK_BRAKED = 1 << 10, /* no ranking: it was over its time budget */
	OOMBOX_KILL_SUMS_CUT = 1 << 11,	  /* no time for every user's `exact` */
};

enum oombox_part_kind {
	OOMBOX_PART_NAMES = 0,	/* bytes: the cgroups' names, one after the other */
	OOMBOX_PART_LEVELS = 1, /* struct oombox_cgroup: the victim's first, then its ancestors */
	OOMBOX_PART_USERS = 2,	/* struct oombox_process, unordered */
	OOMBOX_PART_STATS = 3,	/* struct oombox_stat: of the cgroup that fired, and the victim's */
	OOMBOX_PART_STACK = 4,	/* __u64: return addresses in the kernel, innermost first */
	OOMBOX_PART_PARENTS = 5, /* struct oombox_parent: of the victim, the nearest first */
	OOMBOX_PARTS = 8,
};

struct oombox_part {
	__u32 offset; /* from the record's begin */
	__u16 size;   /* of one element */
	__u16 count;
};

#define OOMBOX_TAIL_LEN                                                                        \
	(OOMBOX_MAX_NAMES + OOMBOX_MAX_NAME + OOMBOX_MAX_LEVELS * sizeof(struct oombox_cgroup) + \
	 OOMBOX_MAX_USERS * sizeof(struct oombox_process) +                                    \
	 OOMBOX_MAX_STATS * sizeof(struct oombox_stat) + OOMBOX_MAX_FRAMES * sizeof(__u64) +         \
	 OOMBOX_MAX_PARENTS * sizeof(struct oombox_parent))

struct oombox_kill_record {
	struct oombox_record_header header;
	/* First victim of this run of the OOM killer: names the episode. */
	__u32 episode_tgid;
	__u32 flags; /* enum oombox_kill_flags */
	__u64 episode_start_boottime_ns;
	struct oombox_process victim;
	__u32 parent_tgid;
	__u32 trigger_tgid;
	__u32 trigger_tid;
	/* Index into levels of the lowest cgroup that was full, as usage and limits say;
	 * OOMBOX_MAX_LEVELS when none was. The decision knows better, where there is one. */
	__u32 inferred_level;
	char parent_comm[OOMBOX_COMM_LEN];
	char trigger_comm[OOMBOX_COMM_LEN];
	__u64 trigger_cgroup_id; /* its memory cgroup; 0: unknown */
	struct oombox_decision decision;
	__u32 walk_threads;
	__u32 walk_processes;
	__u64 walked_cgroup_id;
	struct oombox_memory walk_total;
	struct oombox_part parts[OOMBOX_PARTS];
	__u8 tail[OOMBOX_TAIL_LEN];
};

/* What a SIGKILL beside the marks was. */
enum oombox_signal_kind {
	/* The OOM killer kills whoever shares the victim's memory (CLONE_VM without CLONE_THREAD). */
	OOMBOX_SIGNAL_SHARER = 1,
	/* The init of a pid namespace was a victim: the rest of its namespace dies with it. */
	OOMBOX_SIGNAL_COLLATERAL = 2,
	/* No signal at all: a task that was dying already was given access to memory reserves. */
	OOMBOX_SIGNAL_ALREADY_DYING = 3,
	/* No OOM: somebody sent SIGKILL to the init of a pid namespace. */
	OOMBOX_SIGNAL_INIT_KILLED = 4,
	/* No signal at all: the OOM killer found nobody that it may kill. The target asked for the memory. */
	OOMBOX_SIGNAL_NO_VICTIM = 5,
};

/* A memory cgroup by the last two names of its path: enough to tell container and pod by. */
struct oombox_cgroup_tail {
	__u64 id;
	char name[OOMBOX_MAX_NAME];
	char parent_name[OOMBOX_MAX_NAME]; /* empty: the root, or unknown */
};

struct oombox_signal_record {
	struct oombox_record_header header;
	__u32 kind; /* enum oombox_signal_kind */
	/* Of SHARER and COLLATERAL: the episode they belong to. */
	__u32 episode_tgid;
	__u64 episode_start_boottime_ns;
	__u32 sender_tgid;
	__u32 sender_tid;
	char sender_comm[OOMBOX_COMM_LEN];
	struct oombox_process target;
	struct oombox_cgroup_tail target_cgroup;
	struct oombox_cgroup_tail sender_cgroup;
};

/* The command line of a victim, read when it was about to die: its own memory, in its own context. */
struct oombox_cmdline_record {
	struct oombox_record_header header;
	__u32 tgid;
	__u32 length; /* of the whole command line; more than OOMBOX_MAX_CMDLINE when cut */
	__u64 start_boottime_ns;
	__u64 episode_start_boottime_ns;
	__u32 episode_tgid;
	__u32 pad;
	char bytes[OOMBOX_MAX_CMDLINE]; /* arguments, each with its NUL; cut behind the last */
};

#endif /* OOMBOX_ABI_H */
