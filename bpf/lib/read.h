/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * READ(pointer, member...): as BPF_CORE_READ, for what runs under oom_lock. The same source becomes two objects:
 * one calls bpf_probe_read_kernel() for each pointer it follows, which every kernel has; the direct one
 * (OOMBOX_DIRECT_READS) follows them with plain loads, each with an entry in the exception table, so that a bad
 * address gives 0 as well. For that the verifier must know the type: bpf_rdonly_cast() tells it, and costs no
 * instruction. Since Linux 6.2; the loader takes the direct object where the kernel accepts it.
 * tests/bench/oom_lock_cost measures both.
 */
#ifndef OOMBOX_LIB_READ_H
#define OOMBOX_LIB_READ_H

#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifdef OOMBOX_DIRECT_READS

void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym;

#define READ(pointer, ...)                                                                      \
	___arrow(((typeof(pointer))bpf_rdonly_cast(                                             \
			 pointer, bpf_core_type_id_kernel(typeof(*(pointer))))),                \
		 __VA_ARGS__)

#else

#define READ BPF_CORE_READ

#endif

#endif
