/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Part of the ABI (oombox_abi.h): bounds, the header of every record, a process. */
#ifndef OOMBOX_ABI_PROCESS_H
#define OOMBOX_ABI_PROCESS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

enum oombox_limits {
	OOMBOX_COMM_LEN = 16,
	OOMBOX_EXE_LEN = 32,	  /* base name of the executable, cut */
	OOMBOX_MAX_LEVELS = 16,   /* cgroup chain: deeper ancestors are cut, flagged */
	OOMBOX_MAX_USERS = 10,	  /* biggest memory users */
	OOMBOX_MAX_NAMES = 4096,  /* bytes of cgroup names of the whole chain */
	OOMBOX_MAX_NAME = 256,	  /* NAME_MAX + NUL */
	OOMBOX_MAX_WALK = 1024,   /* processes ranked: it runs under oom_lock */
	OOMBOX_MAX_STATS = 2,	  /* cgroups whose memory.stat is taken */
	OOMBOX_MAX_FRAMES = 32,	  /* of the trigger's kernel stack */
	OOMBOX_MAX_CMDLINE = 512,
	OOMBOX_MAX_PARENTS = 8,
};

enum oombox_record_type {
	OOMBOX_RECORD_KILL = 1,	   /* struct oombox_kill_record */
	OOMBOX_RECORD_SIGNAL = 2,  /* struct oombox_signal_record */
	OOMBOX_RECORD_CMDLINE = 3, /* struct oombox_cmdline_record */
};

enum oombox_record_version {
	OOMBOX_KILL_VERSION = 2,
	OOMBOX_SIGNAL_VERSION = 1,
	OOMBOX_CMDLINE_VERSION = 1,
};

struct oombox_record_header {
	__u16 type;	/* enum oombox_record_type */
	__u16 version;	/* of this type */
	__u32 size;	/* whole record, header included */
	__u64 boottime_ns; /* CLOCK_BOOTTIME when the record was made */
};

/* Pages of one process as the kernel's report prints them up to 6.18 (get_mm_counter). */
struct oombox_memory {
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	__u64 page_tables_bytes;
	__u64 total_vm_pages;
};

/* The same with what every CPU still holds back (percpu_counter_sum): as newer kernels print them. */
struct oombox_exact_memory {
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
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
	struct oombox_exact_memory exact;
	__u32 threads;
	__u32 namespace_level; /* nesting of its pid namespace; 0: the initial one */
	char comm[OOMBOX_COMM_LEN];
	char exe[OOMBOX_EXE_LEN]; /* empty: unknown */
};

struct oombox_parent {
	__u32 tgid;	     /* init pid namespace */
	__u32 namespace_pid; /* in its innermost pid namespace; 1: a container's first process */
	__u64 start_boottime_ns;
	__u32 namespace_level;
	__u32 pad;
	char comm[OOMBOX_COMM_LEN];
};

enum oombox_process_flags {
	OOMBOX_PROCESS_NO_MM = 1 << 0, /* no mm any more: memory is unknown */
	OOMBOX_PROCESS_EXACT = 1 << 1, /* `exact` is filled */
};

#endif /* OOMBOX_ABI_PROCESS_H */
