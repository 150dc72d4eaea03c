"""Compares an event with the kernel's report of the same kill and with memhog's truth.

Every function returns a list of differences, each a line for a person; empty means equal.
"""

import os
import re

from lib.text import escape_untrusted

EVENT_ID = re.compile(r"^[0-9a-hjkmnp-tv-z]{16}$")
# The kernel charges a cgroup in batches (MEMCG_CHARGE_BATCH, mm/memcontrol.c: 64 pages) that each CPU
# keeps in stock, and drains them when it likes: usage can move by that much between report and mark.
CHARGE_BATCH_PAGES = 64
# bpf/lib/deadline.h; some of the steps are no threads.
WALK_STEPS_PER_LOOK = 32


class MovedMeanwhile(str):
    """A difference that the kernel may have made itself, rarely: the same kill played again must be equal.

    memory.stat is added up CPU by CPU, every 2 s (mm/memcontrol.c: flush_memcg_stats_dwork), and for a report only when
    much waits (memcg_vmstats_needs_flush; before Linux 5.13 a CPU adds a batch when it is full). A report in the
    middle of that lacks what the other CPUs have; the mark, a moment later, has it.

    Until Linux 6.2 each task adds what it mapped to its process's counters every 64 faults and when it exits
    (SPLIT_RSS_COUNTING, mm/memory.c): the other tasks of a victim may do so between the mark and the kernel's line."""


class Differences(list):
    def __init__(self, where):
        super().__init__()
        self._where = where

    def expect(self, what, ours, theirs, kind=str):
        if ours != theirs:
            self.append(kind(f"{self._where} {what}: event says {ours!r}, expected {theirs!r}"))


def printed(memory, kernel_prints_exact):
    """The values of a ProcessMemory that the kernel prints: since Linux 7 it prints exact sums."""
    if kernel_prints_exact and "exact" in memory:
        return {**memory, **memory["exact"]}
    return memory


def victim_against_kernel(victim, kill, kernel_prints_exact=False, shares_memory=False):
    diff = Differences(f"victim {kill.pid} against the kernel's line:")
    memory = printed(victim.get("memory", {}), kernel_prints_exact)
    diff.expect("tid", victim.get("tid"), kill.pid)
    diff.expect("comm", victim.get("comm"), escape_untrusted(kill.comm))
    diff.expect("uid", victim.get("uid", 0), kill.uid)
    diff.expect("oom_score_adj", victim.get("oom_score_adj", 0), kill.oom_score_adj)
    has_others = shares_memory or victim.get("threads", 1) > 1
    for name, theirs in (("anon_bytes", kill.anon), ("file_bytes", kill.file), ("shmem_bytes", kill.shmem)):
        ours = memory.get(name)
        diff.expect(name, ours, theirs, MovedMeanwhile if has_others and ours is not None and theirs > ours else str)
    diff.expect("page_tables_bytes", memory.get("page_tables_bytes"), kill.page_tables)
    diff.expect("total_vm_bytes", memory.get("total_vm_bytes"), kill.total_vm)
    return diff


def victim_against_truth(event, victim, truth, process):
    diff = Differences(f"victim {process['pid']} against memhog's truth:")
    ticks = victim.get("start_boottime_ns", 0) * truth["ticks_per_second"] // 10**9
    diff.expect("tgid", victim.get("tgid"), process["tgid"])
    diff.expect("namespace_pid", victim.get("namespace_pid"), process["namespace_pid"])
    diff.expect("parent_tgid", victim.get("parent_tgid"), process["parent_pid"])
    diff.expect("comm", victim.get("comm"), escape_untrusted(bytes.fromhex(process["comm_hex"])))
    diff.expect("uid", victim.get("uid", 0), process["uid"])
    diff.expect("oom_score_adj", victim.get("oom_score_adj", 0), process["oom_score_adj"])
    diff.expect("start ticks", ticks, process["start_ticks"])
    diff.expect("cgroup_id", victim.get("cgroup_id"), process["cgroup_id"])
    diff.expect("role", victim.get("role"), "VICTIM_ROLE_CHOSEN")
    begin, end = (truth[name]["boottime_ns"] for name in ("start", "end"))
    for name, at in (("killed_boottime_ns", victim.get("killed_boottime_ns", 0)),
                     ("event boottime_ns", event.get("boottime_ns", 0))):
        diff.expect(f"{name} within memhog's run", begin <= at <= end, True)
    memory = victim.get("memory", {})
    # A file in shared memory is nobody's own, what waits in a socket neither.
    anon = 0 if truth["scenario"] in ("tmpfs", "socket") else process["touched_bytes"]
    # What a fork brings along, and on kernels that count per CPU the counter's own error.
    slack = (2 << 20) + memory.get("error_bound_bytes", 0)
    diff.expect("anon_bytes near the bytes touched",
                abs(memory.get("anon_bytes", 0) - anon) <= slack, True)
    diff.expect("container_init", victim.get("container_init", False),
                process["namespace_pid"] == 1 and process["pid"] != 1)
    diff.expect("exe", victim.get("exe"), "memhog")
    parents = victim.get("parents", [])
    diff.expect("nearest parent", [p.get("tgid") for p in parents[:1]], [process["parent_pid"]])
    diff.expect("parents end at an init", len(parents) == 8 or victim.get("container_init", False) or
                bool(parents) and parents[-1].get("namespace_pid") == 1, True)
    return diff


CONSTRAINTS = {"CONSTRAINT_NONE": "CONSTRAINT_NONE", "CONSTRAINT_MEMCG": "CONSTRAINT_MEMCG",
               "CONSTRAINT_CPUSET": "CONSTRAINT_CPUSET",
               "CONSTRAINT_MEMORY_POLICY": "CONSTRAINT_MEMORY_POLICY"}


def decision_against_kernel(oom, report):
    """What the kernel decided on, against what it printed."""
    diff = Differences("decision:")
    decision = oom.get("decision", {})
    diff.expect("source", decision.get("source"), "SOURCE_KERNEL_STACK")
    diff.expect("constraint", decision.get("constraint"), CONSTRAINTS.get(report.constraint))
    diff.expect("gfp_mask", decision.get("gfp_mask", 0), report.gfp)
    diff.expect("gfp_flags", decision.get("gfp_flags"), report.gfp_flags)
    diff.expect("order", decision.get("order", 0), report.order)
    return diff


# The kernel's name, and ours where that is another.
STAT_FIELDS = {name: f"{name}_bytes" for name in (
    "anon", "file", "shmem", "kernel", "kernel_stack", "percpu", "sock", "vmalloc", "zswap", "zswapped",
    "file_mapped", "file_dirty", "file_writeback", "anon_thp", "inactive_anon", "active_anon",
    "inactive_file", "active_file", "unevictable", "slab_reclaimable", "slab_unreclaimable", "hugetlb")}
STAT_FIELDS["pagetables"] = "page_tables_bytes"
STAT_FIELDS["sec_pagetables"] = "secondary_page_tables_bytes"


# What a thread gives back when it exits.
THREAD_FIELDS = {"kernel", "kernel_stack", "slab_reclaimable", "slab_unreclaimable"}
# At most so much each: 16 KiB of stack, its task_struct and what hangs on it.
THREAD_BYTES = 32 << 10


def gone_with_threads(oom):
    """Bytes. The kernel reports, then signals, then marks, and the mark is where we read: meanwhile another CPU
    may run threads of the victim to their end."""
    return (oom["victims"][0].get("threads", 1) - 1) * THREAD_BYTES


def stat_against_kernel(level, report, gone=0):
    """memory.stat of the cgroup that fired; the kernel prints it for cgroup v2."""
    diff = Differences(f"memory.stat of {level['path']}:")
    for name, field in STAT_FIELDS.items():
        if name not in report.stat:
            continue
        value = int(level["stat"].get(field, 0))
        threads = gone if name in THREAD_FIELDS else 0
        if not 0 <= report.stat[name] - value <= threads:
            diff.expect(name, value, report.stat[name], MovedMeanwhile if field in level["stat"] else str)
    return diff


def limit_against_all(oom, kill, truth, cgroup, level=0):
    diff = Differences(f"limit of {cgroup['path']}:")
    hit = oom.get("limit_hit", {})
    diff.expect("provenance", hit.get("provenance"), "PROVENANCE_AT_KILL")
    diff.expect("cgroup_path", hit.get("cgroup_path"), cgroup["path"])
    diff.expect("cgroup_id", hit.get("cgroup_id"), cgroup["id"])
    diff.expect("limit_bytes", hit.get("limit_bytes"), cgroup["limit_bytes"])
    diff.expect("level", hit.get("level"), level)
    report = kill.report
    if report:
        slack = CHARGE_BATCH_PAGES * truth["page_bytes"] * (os.cpu_count() or 1)
        diff.expect("kernel's limit", hit.get("limit_bytes"), report.limit)
        diff.expect("kernel's oom_memcg", hit.get("cgroup_path"), report.oom_memcg)
        more = hit.get("usage_bytes", 0) - report.usage
        near = -slack - gone_with_threads(oom) <= more <= slack
        diff.expect("usage_bytes near the kernel's", near, True)
    return diff


def chain_against_all(oom, kill, cgroup, inode_of):
    """The victim's cgroup and its ancestors. `inode_of(path)` gives an id, or None when unknown."""
    diff = Differences(f"cgroup chain of {cgroup['path']}:")
    chain = oom.get("cgroups", [])
    parts = cgroup["path"].strip("/").split("/")
    paths = ["/" + "/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
    diff.expect("paths", [level.get("path") for level in chain], paths)
    if not chain:
        return diff
    diff.expect("id", chain[0].get("id"), cgroup["id"])
    diff.expect("max_bytes", chain[0].get("max_bytes", 0), cgroup["limit_bytes"])
    events = chain[0].get("local_events", {})
    counted = range(cgroup.get("oom_kill_before", 0) + 1, cgroup.get("oom_kill_after", 0) + 1)
    diff.expect("oom_kill in memory.events.local", int(events.get("oom_kill", 0)) in counted, True)
    for level in chain[1:]:
        inode = inode_of(level.get("path"))
        if inode is not None:
            diff.expect(f"id of {level.get('path')}", level.get("id"), inode)
    if kill.report:
        diff.expect("kernel's task_memcg", chain[0].get("path"), kill.report.task_memcg)
    return diff


def ranking_against_kernel(oom, kill, page_bytes, kernel_prints_exact=False):
    """The top users against the "Tasks state" table, the biggest first. A victim whose threads go on on another
    CPU has changed since: then it is as the kernel's line about it says, which comes after ours."""
    report = kill.report
    later = {"rss_anon": kill.anon, "rss_file": kill.file, "rss_shmem": kill.shmem}
    diff = Differences("top users against the kernel's table:")
    users = oom.get("top_users", [])
    rows = sorted(report.tasks, key=lambda row: -(row["rss"] + row["swapents"]))[:10]
    ranking = oom.get("ranking", {})
    if ranking.get("truncated", False):
        # Its time was over, which is looked at every WALK_STEPS_PER_LOOK steps: on an emulated machine soon.
        diff.expect("threads_visited before it was cut",
                    ranking.get("threads_visited", 0) >= WALK_STEPS_PER_LOOK - 4, True)
        rows = [row for user in users for row in report.tasks if row["tgid"] == user.get("tgid")]
        diff.expect("users in the table", len(rows), len(users))
    else:
        diff.expect("pids in order", [user.get("tgid") for user in users],
                    [row["tgid"] for row in rows])
        diff.expect("processes_visited", ranking.get("processes_visited"), len(report.tasks))
    for user, row in zip(users, rows):
        memory = printed(user.get("memory", {}), kernel_prints_exact)
        who = f"of {row['tgid']}"
        rss = sum(memory.get(name, 0) for name in ("anon_bytes", "file_bytes", "shmem_bytes"))
        is_victim = report.victim_pid in (row["pid"], row["tgid"])
        changed = is_victim and rss == sum(later.values())
        diff.expect(f"rss {who}", rss, rss if changed else row["rss"] * page_bytes)
        for column, name in (("rss_anon", "anon_bytes"), ("rss_file", "file_bytes"),
                             ("rss_shmem", "shmem_bytes")):
            if column in row:
                diff.expect(f"{name} {who}", memory.get(name),
                            later[column] if changed else row[column] * page_bytes)
        diff.expect(f"total_vm {who}", memory.get("total_vm_bytes"), row["total_vm"] * page_bytes)
        diff.expect(f"page tables {who}", memory.get("page_tables_bytes"), row["pgtables_bytes"])
        diff.expect(f"swap {who}", memory.get("swap_bytes", 0), row["swapents"] * page_bytes)
        diff.expect(f"uid {who}", user.get("uid", 0), row["uid"])
        diff.expect(f"oom_score_adj {who}", user.get("oom_score_adj", 0), row["oom_score_adj"])
        diff.expect(f"comm {who}", user.get("comm"), escape_untrusted(row["name"]))
        diff.expect(f"victim flag {who}", user.get("victim", False), is_victim)
    return diff


def trigger_against_kernel(oom, report):
    diff = Differences("trigger:")
    trigger = oom.get("trigger", {})
    diff.expect("tid", trigger.get("tid"), report.trigger_pid)
    return diff


def identity(event):
    diff = Differences("event:")
    diff.expect("event_id is well-formed", bool(EVENT_ID.match(event.get("event_id", ""))), True)
    diff.expect("revision is at least 1", event.get("revision", 0) >= 1, True)
    diff.expect("victims_total", event["oom"].get("victims_total"), len(event["oom"]["victims"]))
    return diff


RELATED = {"init": 2 * [("RELATION_COLLATERAL", "idle")]}


ACTIVITIES = {"tmpfs": "ACTIVITY_TMPFS", "tasks": "ACTIVITY_FORK", "socket": "ACTIVITY_SOCKET"}


def circumstances(oom, scenario):
    """What only this scenario of memhog has, on a kernel that shows its symbols."""
    diff = Differences(f"{scenario}:")
    victim, trigger = oom["victims"][0], oom["trigger"]
    first = trigger.get("kernel_stack", [{}])[0].get("symbol", "")
    diff.expect("innermost frame", first.partition("+")[0], "mark_oom_victim")
    diff.expect("activity", trigger.get("activity"),
                ACTIVITIES.get(scenario, "ACTIVITY_PAGE_FAULT"))
    diff.expect("cmdline", victim.get("cmdline", "").split(" ")[:2], ["memhog", scenario])
    for user in oom.get("top_users", []):
        diff.expect(f"cmdline of the user {user['tgid']}", user.get("cmdline", "").split(" ")[:2],
                    ["memhog", scenario])
    related = [(r["relation"], r["comm"]) for r in oom.get("related", [])]
    if scenario == "sharer":  # the kernel takes either of the two
        other = "sharer" if victim["comm"] == "memhog" else "memhog"
        diff.expect("related", related, [("RELATION_SHARER", other)])
    else:
        diff.expect("related", related, RELATED.get(scenario, []))
    diff.expect("leader has exited", victim["tid"] != victim["tgid"], scenario == "leader")
    if scenario == "threads":
        diff.expect("threads", [user["threads"] for user in oom.get("top_users", [])
                                if user["comm"] == "many"],
                    [2001] if "top_users" in oom else [])
    return diff


def against_kernel(oom, kill, kernel_prints_exact=False):
    """Of a program that is not memhog: what the kernel printed, and nothing else."""
    diff = victim_against_kernel(oom["victims"][0], kill, kernel_prints_exact)
    if kill.report:
        diff += trigger_against_kernel(oom, kill.report)
        diff += decision_against_kernel(oom, kill.report)
    return diff


def everything(event, kill, truth, process, inode_of, kernel_prints_exact=False):
    """All comparisons for an event with one victim."""
    oom = event["oom"]
    cgroup = next(c for c in truth["cgroups"] if c["id"] == process["cgroup_id"])
    fired = next(c for c in truth["cgroups"] if c["limit_bytes"])
    victim = oom["victims"][0]
    diff = identity(event)
    diff += victim_against_kernel(victim, kill, kernel_prints_exact)
    diff += victim_against_truth(event, victim, truth, process)
    diff += limit_against_all(oom, kill, truth, fired, 0 if fired is cgroup else 1)
    diff += chain_against_all(oom, kill, cgroup, inode_of)
    if kill.report:
        diff += trigger_against_kernel(oom, kill.report)
        diff += decision_against_kernel(oom, kill.report)
        for level in oom["cgroups"]:
            if level["id"] == fired["id"] and "stat" in level:
                diff += stat_against_kernel(level, kill.report, gone_with_threads(oom))
        if "top_users" in oom or "bpf_loop" not in str(oom["quality"]["missing"]):
            diff += ranking_against_kernel(oom, kill, truth["page_bytes"], kernel_prints_exact)
    return list(diff)
