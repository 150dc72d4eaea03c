/* SPDX-License-Identifier: GPL-2.0-only */
/* Who started the victim: its parents up to the first process of its pid namespace. */
#ifndef OOMBOX_LIB_PARENTS_H
#define OOMBOX_LIB_PARENTS_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/read.h"
#include "bpf/lib/scratch.h"
#include "bpf/lib/task.h"
#include "bpf/oombox_abi.h"

static __always_inline void fill_parents(struct scratch *s, struct task_struct *task)
{
	struct namespaced in = innermost(task);
	__u32 i;

	s->parent_count = 0;
	for (i = 0; i < OOMBOX_MAX_PARENTS; i++) {
		struct oombox_parent *out = &s->parents[i];

		if (in.pid == 1 && i > 0)
			return;
		task = READ(task, real_parent);
		out->tgid = READ(task, tgid);
		if (!out->tgid) /* the idle task */
			return;
		in = innermost(task);
		out->namespace_pid = in.pid;
		out->namespace_level = in.level;
		out->pad = 0;
		out->start_boottime_ns = READ(task, group_leader, start_boottime);
		BPF_CORE_READ_STR_INTO(&out->comm, task, comm);
		s->parent_count = i + 1;
	}
}

#endif
