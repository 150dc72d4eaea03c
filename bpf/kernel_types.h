/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's structs, as far as we read them: hand-kept, reviewable, independent of the machine that
 * builds. Offsets come from the running kernel's BTF (CO-RE); only names and kinds matter here.
 * A flavour (name___flavour) is an older or newer shape of the same struct.
 */
#ifndef OOMBOX_KERNEL_TYPES_H
#define OOMBOX_KERNEL_TYPES_H

#include <linux/types.h>
#include <stdbool.h>

#include "bpf/kernel_mm_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__u32 val;
} kuid_t;

struct list_head {
	struct list_head *next, *prev;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct cred {
	kuid_t uid;
};

enum { PIDTYPE_TGID = 1 }; /* include/linux/pid_types.h */

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
	struct pid *pids[4];
	int nr_threads;
	short oom_score_adj;
	struct mm_struct *oom_mm;
};

struct css_set;

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	__u64 start_boottime;
	const struct cred *real_cred;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct list_head cg_list;
	char comm[16];
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct list_head sibling;
	struct list_head children;
	struct cgroup_subsys_state *parent;
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct list_head tasks;
};

struct cgrp_cset_link {
	struct css_set *cset;
	struct list_head cset_link;
};

struct kernfs_node {
	const char *name;
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct list_head cset_links;
};

struct kernel_siginfo;

#pragma clang attribute pop

/* Its value depends on the kernel's configuration: read with bpf_core_enum_value. */
enum cgroup_subsys_id {
	memory_cgrp_id = 4,
};

#endif /* OOMBOX_KERNEL_TYPES_H */
