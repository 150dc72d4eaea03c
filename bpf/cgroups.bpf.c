// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroups that appear and go: a container is known by its name before one of its processes is killed. Optional,
 * and apart from the kill object: nothing is pinned, a notice that is lost is counted and costs a listing.
 */
#include <linux/types.h>
#include <stdbool.h>

#include "bpf/kernel_types.h"

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/oombox_abi_notice.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} notices SEC(".maps");

__u64 notices_lost;

static __always_inline void notify(bool appeared, const char *path)
{
	struct oombox_cgroup_notice *notice = bpf_ringbuf_reserve(&notices, sizeof(*notice), 0);

	if (!notice) {
		__sync_fetch_and_add(&notices_lost, 1);
		return;
	}
	notice->appeared = appeared;
	notice->pad = 0;
	if (bpf_probe_read_kernel_str(notice->path, sizeof(notice->path), path) < 0)
		notice->path[0] = 0;
	bpf_ringbuf_submit(notice, 0);
}

/*
 * cgroup_mkdir, cgroup_rmdir: at the end of cgroup_mkdir() and cgroup_rmdir() (kernel/cgroup/cgroup.c), under
 * cgroup_mutex, in the context of who made or removed it, since Linux 4.13. On cgroup v1 once for each hierarchy.
 */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgroup, const char *path)
{
	notify(true, path);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_cgroup_rmdir, struct cgroup *cgroup, const char *path)
{
	notify(false, path);
	return 0;
}
