/* SPDX-License-Identifier: GPL-2.0-only */
/* What a task_struct says of its process. */
#ifndef OOMBOX_LIB_TASK_H
#define OOMBOX_LIB_TASK_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/read.h"
#include "bpf/oombox_abi.h"

/* mm_struct.rss_stat became per CPU in Linux 6.2. Asked by a field of a type that exists everywhere: for
 * a type that is missing libbpf would search all modules' BTF, which needs CAP_SYS_ADMIN. */
static __always_inline bool rss_is_percpu(void)
{
	struct mm_struct___before_6_2 *mm = 0;

	return !bpf_core_field_exists(mm->rss_stat.count);
}

static __always_inline __u64 not_negative(long long pages)
{
	return pages < 0 ? 0 : pages;
}

/* As get_mm_counter() reads them up to 6.18, and so as the OOM report prints them. Newer kernels print
 * the exact sum; ours is off by at most batch * CPUs there (see OOMBOX_KILL_RSS_PERCPU). */
static __always_inline void fill_memory(struct oombox_memory *out, struct mm_struct *mm)
{
	if (rss_is_percpu()) {
		out->file_pages = not_negative(READ(mm, rss_stat[MM_FILEPAGES].count));
		out->anon_pages = not_negative(READ(mm, rss_stat[MM_ANONPAGES].count));
		out->swap_pages = not_negative(READ(mm, rss_stat[MM_SWAPENTS].count));
		out->shmem_pages = not_negative(READ(mm, rss_stat[MM_SHMEMPAGES].count));
	} else {
		struct mm_struct___before_6_2 *old = (void *)mm;

		out->file_pages =
			not_negative(READ(old, rss_stat.count[MM_FILEPAGES].counter));
		out->anon_pages =
			not_negative(READ(old, rss_stat.count[MM_ANONPAGES].counter));
		out->swap_pages =
			not_negative(READ(old, rss_stat.count[MM_SWAPENTS].counter));
		out->shmem_pages =
			not_negative(READ(old, rss_stat.count[MM_SHMEMPAGES].counter));
	}
	out->page_tables_bytes = READ(mm, pgtables_bytes.counter);
	out->total_vm_pages = READ(mm, total_vm);
}

/* The pages that the kernel's own choice weighs (oom_badness): resident, swapped, page tables. */
static __always_inline __u64 memory_weight(const struct oombox_memory *m)
{
	return m->anon_pages + m->file_pages + m->shmem_pages + m->swap_pages +
	       (m->page_tables_bytes >> 12);
}

/* A process in its innermost pid namespace: pid 1 is a container's init, level 0 the initial namespace. */
struct namespaced {
	__u32 pid;
	__u32 level;
};

static __always_inline struct namespaced innermost(struct task_struct *task)
{
	struct pid *pid = READ(task, signal, pids[PIDTYPE_TGID]);
	struct namespaced in = { .level = READ(pid, level) };

	bpf_probe_read_kernel(&in.pid, sizeof(in.pid),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      in.level * bpf_core_type_size(struct upid));
	return in;
}

static __always_inline struct cgroup_subsys_state *memory_css(struct css_set *cset)
{
	struct cgroup_subsys_state *css = 0;
	__u64 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)cset + bpf_core_field_offset(struct css_set, subsys) +
				      index * sizeof(css));
	return css;
}

/* The init of a pid namespace below the initial one: a container's first process. */
static __always_inline bool is_container_init(struct task_struct *task)
{
	struct namespaced in = innermost(task);

	return in.level > 0 && in.pid == 1;
}

/* Everything but `exact`: see exact.h. */
static __always_inline void fill_process(struct oombox_process *out, struct task_struct *task)
{
	struct cgroup_subsys_state *css = memory_css(READ(task, cgroups));
	struct mm_struct *mm = READ(task, mm);
	struct namespaced in = innermost(task);

	out->tgid = READ(task, tgid);
	out->tid = READ(task, pid);
	out->namespace_pid = in.pid;
	out->uid = READ(task, real_cred, uid.val);
	out->oom_score_adj = READ(task, signal, oom_score_adj);
	out->flags = mm ? 0 : OOMBOX_PROCESS_NO_MM;
	out->start_boottime_ns = READ(task, group_leader, start_boottime);
	out->cgroup_id = READ(css, cgroup, kn, id);
	if (mm)
		fill_memory(&out->memory, mm);
	else
		__builtin_memset(&out->memory, 0, sizeof(out->memory));
	__builtin_memset(&out->exact, 0, sizeof(out->exact));
	out->threads = READ(task, signal, nr_threads);
	out->namespace_level = in.level;
	BPF_CORE_READ_STR_INTO(&out->comm, task, comm);
	out->exe[0] = 0;
	if (mm)
		bpf_probe_read_kernel_str(
			out->exe, sizeof(out->exe),
			READ(mm, exe_file, f_path.dentry, d_name.name));
}

#endif
