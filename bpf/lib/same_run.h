/* SPDX-License-Identifier: GPL-2.0-only */
/* Which kills are of one run of the OOM killer. Pure: tests/unit/bpf/same_run_test.cc. */
#ifndef OOMBOX_LIB_SAME_RUN_H
#define OOMBOX_LIB_SAME_RUN_H

#include <linux/types.h>
#include <stdbool.h>

/*
 * A run kills the task it chose first, and the others of its memory.oom.group after it (oom_kill_process,
 * mm/oom_kill.c): oom_control.chosen stays what it was and is none of the others. How long a run takes says
 * nothing: it prints a line for each victim, on a console that may be slow, and a virtual CPU may stand
 * still. A chosen task is freed while the run goes on, and its memory used again; but a new run begins with
 * the task that it chose. All are addresses of a struct task_struct; 0: not known.
 */
static inline __attribute__((always_inline)) bool
is_same_run(__u64 chosen_before, __u64 chosen, __u64 task, __u64 leader)
{
	return chosen && chosen == chosen_before && chosen != task && chosen != leader;
}

#endif
