/* SPDX-License-Identifier: GPL-2.0-only */
/* The kill object's ring: keeps the oldest, survives the agent when pinned. */
#ifndef OOMBOX_LIB_RING_H
#define OOMBOX_LIB_RING_H

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} kill_ring SEC(".maps");

#endif
