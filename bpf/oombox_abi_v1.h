/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Version 1 of the kill record, as agents before 0.3 wrote it: journals and the rings of their programs hold
 * such records. Read by agent/capture/decode_v1.cc; nothing writes it any more. Flags are those of
 * oombox_abi.h, whose meaning never changes.
 */
#ifndef OOMBOX_ABI_V1_H
#define OOMBOX_ABI_V1_H

#include "bpf/oombox_abi.h"

struct oombox_process_v1 {
	__u32 tgid;
	__u32 tid;
	__u32 namespace_pid;
	__u32 uid;
	__s32 oom_score_adj;
	__u32 flags;
	__u64 start_boottime_ns;
	__u64 cgroup_id;
	struct oombox_memory memory;
	char comm[OOMBOX_COMM_LEN];
};

struct oombox_cgroup_v1 {
	__u64 id;
	__u64 usage_pages;
	__u64 max_pages;
	__u64 high_pages;
	__u64 low_pages;
	__u64 min_pages;
	__u64 swap_usage_pages;
	__u64 swap_max_pages;
	__u32 flags;
	__u16 name_offset;
	__u16 name_len;
};

struct oombox_kill_record_v1 {
	struct oombox_record_header header;
	__u32 episode_tgid;
	__u32 flags;
	__u64 episode_start_boottime_ns;
	struct oombox_process_v1 victim;
	__u32 parent_tgid;
	__u32 trigger_tgid;
	__u32 trigger_tid;
	__u32 pad;
	char parent_comm[OOMBOX_COMM_LEN];
	char trigger_comm[OOMBOX_COMM_LEN];
	__u32 fired_level;
	__u32 level_count;
	__u32 user_count;
	__u32 walk_threads;
	__u32 walk_processes;
	__u32 names_len;
	struct oombox_memory walk_total;
	struct oombox_process_v1 users[OOMBOX_MAX_USERS];
	struct oombox_cgroup_v1 levels[OOMBOX_MAX_LEVELS];
	char names[OOMBOX_MAX_NAMES + OOMBOX_MAX_NAME];
};

#endif /* OOMBOX_ABI_V1_H */
