/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of the kill object: in .bss, so that user space reads them without a system call. */
#ifndef OOMBOX_LIB_COUNTERS_H
#define OOMBOX_LIB_COUNTERS_H

#include <bpf/bpf_helpers.h>

#include "bpf/oombox_pinned.h"

struct oombox_kill_counters counters;

/* Kills are rare and serialized by oom_lock: one shared counter costs nothing and needs no summing. */
#define COUNT(field) __sync_fetch_and_add(&counters.field, 1)

#endif
