/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The records of the ring of cgroups.bpf.c: not kept anywhere, so they have no version. */
#ifndef OOMBOX_ABI_NOTICE_H
#define OOMBOX_ABI_NOTICE_H

#include <linux/types.h>

/* A longer path is cut. */
#define OOMBOX_NOTICE_PATH_LEN 512

struct oombox_cgroup_notice {
	__u32 appeared; /* 0: it was removed */
	__u32 pad;
	/* From the root of the hierarchy, as the host sees it, with its NUL. */
	char path[OOMBOX_NOTICE_PATH_LEN];
};

#endif
