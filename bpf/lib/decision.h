/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the OOM killer decided on: struct oom_control lies on the stack of out_of_memory()'s callers, and the
 * tracepoint runs on the same stack, below it. The stack is searched from our own context upwards for a
 * pointer to the chosen task whose neighbours make it an oom_control; without a hit there is no decision.
 */
#ifndef OOMBOX_LIB_DECISION_H
#define OOMBOX_LIB_DECISION_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/memcg.h"
#include "bpf/lib/scratch.h"
#include "bpf/oombox_abi.h"

/* It was found 264 to 552 bytes above on seven kernels; frames are bigger under sanitizers: the rest is searched
 * when the first rounds have nothing. */
#define SCAN_ROUNDS 4
#define FIRST_SCAN_ROUNDS 2

#define MAX_ORDER 20

/* The tasks one of which the kernel chose: the victim, its leader (a leader that has exited stands for its
 * process), or the first victim of a group kill. */
struct suspects {
	__u64 victim;
	__u64 leader;
	__u64 first;
};

/* 1 or 0. Without a branch: what the verifier learns in one makes every later word another state. */
static __always_inline __u64 equals(__u64 a, __u64 b)
{
	__u64 different = a ^ b;

	different |= -different;
	asm volatile("" : "+r"(different)); /* clang would make it a comparison again */
	return (different >> 63) ^ 1;
}

static __always_inline __u64 is_suspect(const struct suspects *suspects, __u64 word)
{
	return equals(word, suspects->victim) | equals(word, suspects->leader) |
	       equals(word, suspects->first);
}

static __always_inline __u64 is_ancestor(const struct scratch *s, __u64 memcg)
{
	__u64 found = 0;
	__u32 i;

	for (i = 0; i < OOMBOX_MAX_LEVELS; i++)
		found |= equals(s->level_memcg[i], memcg);
	return found;
}

/* A wrong answer is worse than none: everything about it must fit. */
static __always_inline bool read_decision(struct scratch *s, __u64 address)
{
	struct oom_control *oc = (struct oom_control *)address;
	struct oombox_decision *out = &s->record.decision;
	__u64 memcg = (__u64)BPF_CORE_READ(oc, memcg);
	__u32 constraint = BPF_CORE_READ(oc, constraint);
	__u64 total_pages = BPF_CORE_READ(oc, totalpages);
	int order = BPF_CORE_READ(oc, order);

	if (order < -1 || order > MAX_ORDER || constraint > CONSTRAINT_MEMCG || !total_pages ||
	    total_pages >= NO_LIMIT_PAGES)
		return false;
	if ((memcg != 0) != (constraint == CONSTRAINT_MEMCG))
		return false;
	if (memcg && !is_ancestor(s, memcg) && !(s->record.flags & OOMBOX_KILL_LEVELS_CUT))
		return false;
	out->cgroup_id =
		memcg ? BPF_CORE_READ((struct mem_cgroup *)memcg, css.cgroup, kn, id) : 0;
	out->total_pages = total_pages;
	out->badness_pages = BPF_CORE_READ(oc, chosen_points);
	out->gfp_mask = BPF_CORE_READ(oc, gfp_mask);
	out->order = order;
	out->constraint = constraint;
	out->source = OOMBOX_SOURCE_STACK;
	return true;
}

/* Where the stack has a pointer to one of the suspects. Called before anything else that branches, for the
 * verifier's sake: it follows the loop once for every way that leads here. */
static __always_inline void find_candidates(struct scratch *s, void *ctx,
					    const struct suspects *suspects)
{
	int round, i;

	s->stack_begin = (__u64)ctx;
	s->candidate_count = 0;
	barrier(); /* read it again: as an integer */
	for (round = 0; round < SCAN_ROUNDS; round++) {
		__u64 from = s->stack_begin + round * sizeof(s->stack_words);

		if (round >= FIRST_SCAN_ROUNDS && s->candidate_count)
			return;
		if (bpf_probe_read_kernel(s->stack_words, sizeof(s->stack_words), (void *)from))
			return; /* the end of the stack */
		for (i = 0; i < SCAN_WORDS; i++) {
			__u32 count = s->candidate_count;

			s->candidates[count % MAX_CANDIDATES] = from + i * sizeof(__u64);
			s->candidate_count = count + is_suspect(suspects, s->stack_words[i]);
		}
	}
}

/* The chosen task of the decision that was found, else 0. */
static __always_inline __u64 find_decision(struct scratch *s)
{
	__u32 i;

	for (i = 0; i < MAX_CANDIDATES; i++) {
		__u64 address = s->candidates[i];
		__u64 chosen = 0;

		if (i >= s->candidate_count)
			return 0;
		if (!read_decision(s, address - bpf_core_field_offset(struct oom_control, chosen)))
			continue;
		bpf_probe_read_kernel(&chosen, sizeof(chosen), (void *)address);
		return chosen;
	}
	return 0;
}

#endif
