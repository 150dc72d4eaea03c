/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's linked lists, followed by reads that cannot fault: addresses are integers, a failed read gives 0. */
#ifndef OOMBOX_LIB_LIST_H
#define OOMBOX_LIB_LIST_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/lib/read.h"

#define ENTRY(pointer, type, member) \
	((type *)((void *)(pointer) - bpf_core_field_offset(type, member)))
#define HEAD(pointer, type, member) \
	((__u64)(pointer) + bpf_core_field_offset(type, member))

static __always_inline __u64 list_next(__u64 node)
{
	return (__u64)READ((struct list_head *)node, next);
}

#endif
