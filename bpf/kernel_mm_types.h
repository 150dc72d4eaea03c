/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a process, as kernel_types.h. */
#ifndef OOMBOX_KERNEL_MM_TYPES_H
#define OOMBOX_KERNEL_MM_TYPES_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	long long counter;
} atomic_long_t;

struct percpu_counter {
	long long count;
	int *counters; /* per CPU */
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct file {
	struct path {
		struct dentry *dentry;
	} f_path;
};

/* Since Linux 6.2 (f1a7941243c1): one per-CPU counter for each kind of page. */
struct mm_struct {
	struct percpu_counter rss_stat[4];
	atomic_long_t pgtables_bytes;
	unsigned long total_vm;
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};

/* Before Linux 6.2. */
struct mm_rss_stat___before_6_2 {
	atomic_long_t count[4];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
};

#pragma clang attribute pop

/* include/linux/mm_types_task.h */
enum oombox_mm_counter { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES };

#endif /* OOMBOX_KERNEL_MM_TYPES_H */
