/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The one header the kernel side (bpf/) and the user side (agent/) share.
 *
 *  - Plain C, fixed-width integers, explicit padding, no pointers: the same layout everywhere. It is
 *    checked against the BTF of the compiled object (tests/unit/bpf/abi_test.cc).
 *  - A record is one struct oombox_kill_record, cut after the last used byte of `names`. It starts
 *    with a struct oombox_record_header; readers skip types they do not know.
 *  - To change it: append at the end of a struct, bump that record's version, and keep the decoder
 *    for version N-1. Journals and pinned rings hold old records.
 *  - Bytes of `comm` and `names` are the kernel's: anything but NUL may be in them.
 */
#ifndef OOMBOX_ABI_H
#define OOMBOX_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum oombox_limits {
	OOMBOX_COMM_LEN = 16,
	OOMBOX_MAX_LEVELS = 16,   /* cgroup chain: deeper ancestors are cut, flagged */
	OOMBOX_MAX_USERS = 10,	  /* biggest memory users */
	OOMBOX_MAX_NAMES = 4096,  /* bytes of cgroup names of the whole chain */
	OOMBOX_MAX_NAME = 256,	  /* NAME_MAX + NUL */
	OOMBOX_MAX_WALK = 1024,   /* processes ranked: it runs under oom_lock */
};

enum oombox_record_type {
	OOMBOX_RECORD_KILL = 1,
};

enum oombox_record_version {
	OOMBOX_KILL_VERSION = 1,
};

struct oombox_record_header {
	__u16 type;	/* enum oombox_record_type */
	__u16 version;	/* of this type */
	__u32 size;	/* whole record, header included */
	__u64 boottime_ns; /* CLOCK_BOOTTIME when the record was made */
};

/* Pages of one process as the kernel's report prints them (get_mm_counter). */
struct oombox_memory {
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	__u64 page_tables_bytes;
	__u64 total_vm_pages;
};

struct oombox_process {
	__u32 tgid;	/* init pid namespace */
	__u32 tid;	/* init pid namespace */
	__u32 namespace_pid; /* tgid in the innermost pid namespace */
	__u32 uid;	/* init user namespace */
	__s32 oom_score_adj;
	__u32 flags;	/* enum oombox_process_flags */
	__u64 start_boottime_ns;
	__u64 cgroup_id; /* memory cgroup's kernfs node id */
	struct oombox_memory memory;
	char comm[OOMBOX_COMM_LEN];
};

enum oombox_process_flags {
	OOMBOX_PROCESS_NO_MM = 1 << 0, /* no mm any more: memory is unknown */
};

/* Limits are in pages; "no limit" is the kernel's PAGE_COUNTER_MAX, anything >= 2^51. */
struct oombox_cgroup {
	__u64 id;
	__u64 usage_pages;
	__u64 max_pages;
	__u64 high_pages;
	__u64 low_pages;
	__u64 min_pages;
	__u64 swap_usage_pages; /* v1: memsw */
	__u64 swap_max_pages;	/* v1: memsw */
	__u32 flags;		/* enum oombox_cgroup_flags */
	__u16 name_offset;	/* into names */
	__u16 name_len;		/* without NUL; 0 for the root */
};

enum oombox_cgroup_flags {
	OOMBOX_CGROUP_OOM_GROUP = 1 << 0,
	OOMBOX_CGROUP_NAME_CUT = 1 << 1, /* names was full */
};

enum oombox_kill_flags {
	OOMBOX_KILL_CGROUP_V1 = 1 << 0,
	OOMBOX_KILL_LEVELS_CUT = 1 << 1,  /* more ancestors than OOMBOX_MAX_LEVELS */
	OOMBOX_KILL_WALK_CUT = 1 << 2,	  /* more processes than OOMBOX_MAX_WALK */
	OOMBOX_KILL_WALK_RACED = 1 << 3,  /* a list changed under the walk */
	OOMBOX_KILL_GROUP_MEMBER = 1 << 4, /* a further victim of `episode` */
	OOMBOX_KILL_NO_WALK = 1 << 5,	  /* this kernel or this record has no ranking */
	OOMBOX_KILL_NO_MEMCG = 1 << 6,	  /* the victim's memory cgroup could not be read */
	OOMBOX_KILL_RSS_PERCPU = 1 << 7,  /* memory counters are per CPU: approximate */
	OOMBOX_KILL_TRIGGER_OUTSIDE = 1 << 8, /* the trigger is not below fired_level's cgroup */
	OOMBOX_KILL_GROUP = 1 << 9,	  /* memory.oom.group: more victims may follow */
	OOMBOX_KILL_WALK_BRAKED = 1 << 10, /* no ranking: it was over its time budget */
};

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
	__u32 pad;
	char parent_comm[OOMBOX_COMM_LEN];
	char trigger_comm[OOMBOX_COMM_LEN];
	/* Index into levels of the cgroup whose limit fired, inferred from usage and limits;
	 * OOMBOX_MAX_LEVELS when no limit was reached: then it was the node. */
	__u32 fired_level;
	__u32 level_count;
	__u32 user_count;
	__u32 walk_threads;
	__u32 walk_processes;
	__u32 names_len;
	struct oombox_memory walk_total;
	struct oombox_process users[OOMBOX_MAX_USERS]; /* unordered */
	struct oombox_cgroup levels[OOMBOX_MAX_LEVELS]; /* the victim's first, then its ancestors */
	char names[OOMBOX_MAX_NAMES + OOMBOX_MAX_NAME];
};

#endif /* OOMBOX_ABI_H */
