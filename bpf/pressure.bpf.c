// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long tasks wait in direct reclaim because a memory cgroup is at its limit, or the node short of memory. Summed
 * up here, by cgroup: a storm of reclaims costs map updates, no event. Optional, and apart from the kill object:
 * nothing is pinned.
 *
 * The programs run in the context of the task that reclaims; it may sleep between begin and end, and go to another
 * CPU. Linux before 7.2 does not say which cgroup is reclaimed from: the task's own is taken, though the limit may be
 * that of one above it, and a task that writes memory.reclaim or lowers a limit reclaims from another's.
 */
#include <linux/types.h>
#include <stdbool.h>

#include "bpf/kernel_types.h"

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/kernel_memcg_types.h"
#include "bpf/lib/read.h"
#include "bpf/oombox_abi_pressure.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OOMBOX_RECLAIM_SLOTS);
	__type(key, __u32);
	__type(value, struct oombox_reclaim_slot);
} slots SEC(".maps");

/* Who took an empty slot first: an update with BPF_NOEXIST elects one of two CPUs, also before Linux 5.12, which has
 * no compare-and-exchange. Matters only until the winner has written its id: an entry that is evicted is old. */
struct claim {
	__u64 slot;
	__u64 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct claim);
	__type(value, __u64);
} claims SEC(".maps");

/* Reclaims that have begun. Of a task and kind: reclaim of the node may run into a cgroup's. A task that dies in
 * between leaves its entry, which the LRU takes. */
struct beginning {
	__u64 at_ns;
	__u64 cgroup_id;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct beginning);
} beginnings SEC(".maps");

struct oombox_reclaim_counters counters;

#define KIND_CGROUP 0
#define KIND_NODE 1

static __always_inline __u64 task_key(__u32 kind)
{
	return (__u64)kind << 32 | (__u32)bpf_get_current_pid_tgid();
}

/* clang may lay a loop out so that its body falls through to its head, which Linux 6.1 refuses as a back-edge (check_cfg(),
 * kernel/bpf/verifier.c). */
#define UNROLLED _Pragma("clang loop unroll(full)")

static __always_inline __u32 index_of(__u64 id, __u32 probe)
{
	return 1 + ((__u32)(id * 2654435761ULL >> 7) + probe) % (OOMBOX_RECLAIM_SLOTS - 1);
}

/* 0: it has none. All its places are looked at: one before it may have been emptied. */
static __always_inline struct oombox_reclaim_slot *slot_of(__u64 id)
{
	int i;

	UNROLLED
	for (i = 0; i < OOMBOX_RECLAIM_PROBES; i++) {
		__u32 index = index_of(id, i);
		struct oombox_reclaim_slot *slot = bpf_map_lookup_elem(&slots, &index);

		if (slot && slot->cgroup_id == id)
			return slot;
	}
	return 0;
}

/* An end that was under way when the agent emptied the slot may have counted into it. */
static __always_inline void clear(struct oombox_reclaim_slot *slot)
{
	slot->count = 0;
	slot->stall_ns = 0;
	slot->longest_ns = 0;
	slot->reclaimed_pages = 0;
	slot->usage_pages = 0;
	slot->usage_max_pages = 0;
	slot->last_boottime_ns = 0;
}

static __always_inline struct oombox_reclaim_slot *take_slot(__u64 id)
{
	int i;

	UNROLLED
	for (i = 0; i < OOMBOX_RECLAIM_PROBES; i++) {
		__u32 index = index_of(id, i);
		struct oombox_reclaim_slot *slot = bpf_map_lookup_elem(&slots, &index);
		struct claim claim = { .slot = index };

		if (!slot || slot->cgroup_id)
			continue;
		claim.generation = slot->generation;
		if (bpf_map_update_elem(&claims, &claim, &id, BPF_NOEXIST) == 0) {
			clear(slot);
			slot->cgroup_id = id;
			return slot;
		}
		/* Another CPU took it; for the same cgroup, if it has said so already. */
		if (slot->cgroup_id == id)
			return slot;
	}
	return 0;
}

static __always_inline void begin(__u32 kind, struct mem_cgroup *memcg)
{
	__u64 now = bpf_ktime_get_ns();
	struct beginning beginning = { .at_ns = now };
	struct oombox_reclaim_slot *slot;
	__u64 key = task_key(kind);
	__u32 node = 0;
	__u64 pages;

	if (counters.disarmed)
		return;
	if (kind == KIND_NODE) {
		slot = bpf_map_lookup_elem(&slots, &node);
	} else {
		beginning.cgroup_id = READ(memcg, css.cgroup, kn, id);
		slot = beginning.cgroup_id ? slot_of(beginning.cgroup_id) : 0;
		if (!slot && beginning.cgroup_id)
			slot = take_slot(beginning.cgroup_id);
	}
	if (bpf_map_lookup_elem(&beginnings, &key))
		__sync_fetch_and_add(&counters.lost, 1); /* its end was skipped */
	if (!slot || bpf_map_update_elem(&beginnings, &key, &beginning, BPF_ANY))
		return; /* counted as lost when it ends */
	if (memcg) {
		pages = READ(memcg, memory.usage.counter);
		slot->usage_pages = pages;
		if (pages > slot->usage_max_pages)
			slot->usage_max_pages = pages;
	}
	slot->last_boottime_ns = bpf_ktime_get_boot_ns();
	__sync_fetch_and_add(&counters.run_ns, bpf_ktime_get_ns() - now);
}

static __always_inline void end(__u32 kind, __u64 reclaimed_pages)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 key = task_key(kind);
	struct oombox_reclaim_slot *slot;
	struct beginning *beginning;
	__u32 node = 0;
	__u64 ns;

	if (counters.disarmed)
		return;
	beginning = bpf_map_lookup_elem(&beginnings, &key);
	if (!beginning) {
		/* No slot, no room, its entry evicted, the program skipped, or it began before we were here. */
		__sync_fetch_and_add(&counters.lost, 1);
		return;
	}
	ns = now - beginning->at_ns;
	slot = kind == KIND_NODE ? bpf_map_lookup_elem(&slots, &node) : slot_of(beginning->cgroup_id);
	bpf_map_delete_elem(&beginnings, &key);
	if (!slot)
		return; /* the cgroup is gone, and its slot emptied */
	__sync_fetch_and_add(&slot->count, 1);
	__sync_fetch_and_add(&slot->stall_ns, ns);
	__sync_fetch_and_add(&slot->reclaimed_pages, reclaimed_pages);
	if (ns > slot->longest_ns)
		slot->longest_ns = ns;
	__sync_fetch_and_add(&counters.reclaims, 1);
	__sync_fetch_and_add(&counters.run_ns, bpf_ktime_get_ns() - now);
}

static __always_inline struct mem_cgroup *own_memcg(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct css_set *cset = READ(task, cgroups);
	struct cgroup_subsys_state *css = 0;

	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)cset + bpf_core_field_offset(struct css_set, subsys) +
				      index * sizeof(css));
	/* struct mem_cgroup begins with its css (include/linux/memcontrol.h). */
	return (struct mem_cgroup *)css;
}

/*
 * mm_vmscan_memcg_reclaim_begin, _end: around try_to_free_mem_cgroup_pages() (mm/vmscan.c): a charge that hit
 * memory.max or is over memory.high, memory.reclaim, a lowered limit. On every kernel we know; with the cgroup as
 * their last argument since Linux 7.2 (begin: gfp_flags, order, memcg; end: nr_reclaimed, memcg; before: order,
 * gfp_flags; nr_reclaimed). The loader takes the program that fits the prototype.
 */
SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int on_memcg_reclaim_begin_target(__u64 *ctx)
{
	begin(KIND_CGROUP, (struct mem_cgroup *)ctx[2]);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int on_memcg_reclaim_begin_task(__u64 *ctx)
{
	begin(KIND_CGROUP, own_memcg());
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int on_memcg_reclaim_end(__u64 *ctx)
{
	end(KIND_CGROUP, ctx[0]);
	return 0;
}

/* mm_vmscan_direct_reclaim_begin, _end: around try_to_free_pages() (mm/vmscan.c): an allocation found no free memory
 * on the node, and no limit was hit. Not kswapd's own reclaim, which nobody waits for. */
SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int on_direct_reclaim_begin(__u64 *ctx)
{
	begin(KIND_NODE, 0);
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int on_direct_reclaim_end(__u64 *ctx)
{
	end(KIND_NODE, ctx[0]);
	return 0;
}
