/* SPDX-License-Identifier: GPL-2.0-only */
/* What a task_struct says of its process. */
#ifndef OOMBOX_LIB_TASK_H
#define OOMBOX_LIB_TASK_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
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
		out->file_pages = not_negative(BPF_CORE_READ(mm, rss_stat[MM_FILEPAGES].count));
		out->anon_pages = not_negative(BPF_CORE_READ(mm, rss_stat[MM_ANONPAGES].count));
		out->swap_pages = not_negative(BPF_CORE_READ(mm, rss_stat[MM_SWAPENTS].count));
		out->shmem_pages = not_negative(BPF_CORE_READ(mm, rss_stat[MM_SHMEMPAGES].count));
	} else {
		struct mm_struct___before_6_2 *old = (void *)mm;

		out->file_pages =
			not_negative(BPF_CORE_READ(old, rss_stat.count[MM_FILEPAGES].counter));
		out->anon_pages =
			not_negative(BPF_CORE_READ(old, rss_stat.count[MM_ANONPAGES].counter));
		out->swap_pages =
			not_negative(BPF_CORE_READ(old, rss_stat.count[MM_SWAPENTS].counter));
		out->shmem_pages =
			not_negative(BPF_CORE_READ(old, rss_stat.count[MM_SHMEMPAGES].counter));
	}
	out->page_tables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
	out->total_vm_pages = BPF_CORE_READ(mm, total_vm);
}

/* The pages that the kernel's own choice weighs (oom_badness): resident, swapped, page tables. */
static __always_inline __u64 memory_weight(const struct oombox_memory *m)
{
	return m->anon_pages + m->file_pages + m->shmem_pages + m->swap_pages +
	       (m->page_tables_bytes >> 12);
}

/* The process id as the innermost pid namespace shows it: 1 for a container's init. */
static __always_inline __u32 namespace_pid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	__u32 level = BPF_CORE_READ(pid, level);
	__u32 nr = 0;

	bpf_probe_read_kernel(&nr, sizeof(nr),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid));
	return nr;
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

static __always_inline __u32 namespace_level(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID], level);
}

/* The init of a pid namespace below the initial one: a container's first process. */
static __always_inline bool is_container_init(struct task_struct *task)
{
	return namespace_level(task) > 0 && namespace_pid(task) == 1;
}

/* Everything but `exact`: see exact.h. */
static __always_inline void fill_process(struct oombox_process *out, struct task_struct *task)
{
	struct cgroup_subsys_state *css = memory_css(BPF_CORE_READ(task, cgroups));
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	out->tgid = BPF_CORE_READ(task, tgid);
	out->tid = BPF_CORE_READ(task, pid);
	out->namespace_pid = namespace_pid(task);
	out->uid = BPF_CORE_READ(task, real_cred, uid.val);
	out->oom_score_adj = BPF_CORE_READ(task, signal, oom_score_adj);
	out->flags = mm ? 0 : OOMBOX_PROCESS_NO_MM;
	out->start_boottime_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	out->cgroup_id = BPF_CORE_READ(css, cgroup, kn, id);
	if (mm)
		fill_memory(&out->memory, mm);
	else
		__builtin_memset(&out->memory, 0, sizeof(out->memory));
	__builtin_memset(&out->exact, 0, sizeof(out->exact));
	out->threads = BPF_CORE_READ(task, signal, nr_threads);
	out->namespace_level = namespace_level(task);
	BPF_CORE_READ_STR_INTO(&out->comm, task, comm);
	out->exe[0] = 0;
	if (mm)
		bpf_probe_read_kernel_str(
			out->exe, sizeof(out->exe),
			BPF_CORE_READ(mm, exe_file, f_path.dentry, d_name.name));
}

#endif
