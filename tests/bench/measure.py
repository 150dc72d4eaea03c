#!/usr/bin/python3
"""Measures what the design budgets, on real kills, and prints a Markdown page for docs/benchmarks.md.

    OOMBOX_BIN=build/release/bin OOMBOX_BENCH=build/release/bench tests/bench/measure.py > docs/benchmarks.md

Needs root and BPF. Looks only at kills and cgroups of its own. On a machine that does other things at the
same time, read ratios, not absolute times.
"""
import datetime
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import collector  # noqa: E402
from cold_disk import ColdDisk  # noqa: E402
from lib.machine import memory_mount  # noqa: E402
from lib.programs import ENVIRONMENT, binary, memhog  # noqa: E402

KILLS = 200
IDLE_SECONDS = 30
SPAWNS = 1000
SPAWN_ROUNDS = 5


def own_memory_path():
    with open("/proc/self/cgroup", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split(":", 2) for line in lines]
    return next((p for _, c, p in rows if "memory" in c.split(",")), rows[-1][2])


class MeteredCgroup:
    """A memory cgroup without limit, to see what a process is charged."""

    def __init__(self, name):
        self.path = f"{memory_mount()}{own_memory_path().rstrip('/')}/{name}-{os.getpid()}"
        os.mkdir(self.path)

    def enter(self):
        with open(f"{self.path}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write("0")

    def usage(self):
        for name in ("memory.usage_in_bytes", "memory.current"):
            if os.path.exists(f"{self.path}/{name}"):
                with open(f"{self.path}/{name}", encoding="ascii") as value:
                    return int(value.read())
        return 0

    def page_cache(self):
        """Of files; the kernel takes it back when there is need. tmpfs is not in it."""
        with open(f"{self.path}/memory.stat", encoding="ascii") as lines:
            stat = dict(line.split() for line in lines)
        return int(stat["inactive_file"]) + int(stat["active_file"])

    def held(self):
        return self.usage() - self.page_cache()

    def remove(self):
        os.rmdir(self.path)


def libraries(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [line.split()[2] for line in listed.splitlines() if "=> /" in line]


def page_cache_of_a_first_start(state, cgroup):
    """The agent and its libraries as in a container's first start: nothing of them is in memory."""
    agent = binary("oombox-agent")
    os.mkdir(f"{state}/cold")
    disk = ColdDisk(f"{state}/cold/disk", [agent, *libraries(agent)])
    running = None
    try:
        running = start_agent(f"{state}/cold", cgroup, f"{disk.path}/oombox-agent", {"LD_LIBRARY_PATH": disk.path})
        time.sleep(5)
        return cgroup.page_cache()
    finally:
        if running:
            running.kill()
            running.wait()
        disk.remove()


def start_agent(state, cgroup, program=None, variables=None):
    agent = subprocess.Popen(
        [program or binary("oombox-agent"), "--state-dir", f"{state}/agent", "--socket", f"{state}/a.sock",
         "--pin-dir", ""],
        stderr=subprocess.PIPE, text=True, env=ENVIRONMENT | (variables or {}), preexec_fn=cgroup.enter)
    for line in agent.stderr:
        if " ready " in line:
            break
    threading.Thread(target=agent.stderr.read, daemon=True).start()
    return agent


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Watch:
    """`oombox watch`: of each event its first line, stamped with CLOCK_BOOTTIME when it arrives."""

    def __init__(self, state):
        self.rows = []
        self.seen = set()
        self.process = subprocess.Popen(
            [binary("oombox"), "--server", f"unix:{state}/a.sock", "watch", "-o", "jsonl"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            arrived = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            event = json.loads(line)
            if event["event_id"] not in self.seen:  # else a later revision
                self.seen.add(event["event_id"])
                self.rows.append((arrived, event))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.thread.join()


def kill_to_client(state):
    """Milliseconds from the kernel's mark to the agent and to the line at a client."""
    watch = Watch(state)
    time.sleep(1)  # the stream has no sign of being open but its first event
    truth = memhog("storm", "--kills", str(KILLS), "--limit", str(16 << 20), "--same-cgroup")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(watch.rows) < KILLS:
        time.sleep(0.1)
    watch.stop()
    ids = {cgroup["id"] for cgroup in truth["cgroups"]}
    total, commit = [], []
    for arrived, event in watch.rows:
        if int(event.get("oom", {}).get("victims", [{}])[0].get("cgroup_id", 0)) not in ids:
            continue
        total.append((arrived - int(event["boottime_ns"])) / 1e6)
        latency = event["oom"].get("quality", {}).get("capture_latency")
        if latency:
            commit.append(float(latency.rstrip("s")) * 1e3)
    return total, commit


def fsync_ms(state):
    """What one small fdatasync costs here: a commit has at least one."""
    times = []
    with open(f"{state}/fsync", "wb") as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1e3)
    return times


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ring_bytes_per_kill(state):
    """What a kill takes of the ring, with its command lines; in the journal are the same bytes."""
    with sqlite3.connect(f"file:{state}/agent/journal.db?mode=ro", uri=True) as journal:
        count, total = journal.execute(
            "SELECT count(*), sum((length(bytes) + 15) / 8 * 8) FROM entries").fetchone()
        kills, = journal.execute("SELECT count(*) FROM entries WHERE id % (1 << 32) = 0").fetchone()
    return count / kills, total / kills


def load_ms():
    """Until the programs are verified and attached: what --probe takes longer than --version."""
    def run(flag):
        begin = time.perf_counter()
        subprocess.run([binary("oombox-agent"), flag], capture_output=True, env=ENVIRONMENT, check=True)
        return (time.perf_counter() - begin) * 1e3
    return statistics.median(run("--probe") - run("--version") for _ in range(5))


def spawn_us():
    """One process that is started and ends: fork, exec, exit."""
    begin = time.perf_counter()
    for _ in range(SPAWNS):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return (time.perf_counter() - begin) * 1e6 / SPAWNS


def spawn_with_and_without(state, cgroup):
    """Alternating, so that what the machine does beside hits both."""
    without, attached = [], []
    for _ in range(SPAWN_ROUNDS):
        without.append(spawn_us())
        agent = start_agent(state, cgroup)
        attached.append(spawn_us())
        agent.terminate()
        agent.wait()
    return statistics.median(without), statistics.median(attached)


def oom_lock_rows():
    tool = os.path.join(os.environ.get("OOMBOX_BENCH", ""), "oom_lock_cost")
    done = subprocess.run([tool], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def pressure_rows():
    tool = os.path.join(os.environ.get("OOMBOX_BENCH", ""), "pressure_cost")
    done = subprocess.run([tool], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def print_pressure(rows):
    print("\n## Watching memory\n\nCgroups with a limit, all far from it; curves are kept for as many as 4 MiB "
          "hold.\n")
    print("| cgroups | readings a second | one reading | of a core | curves |\n|---|---|---|---|---|")
    for row in rows:
        if row["what"] == "watch":
            print(f"| {row['cgroups']} | {row['readings_per_second']:.1f} | {row['us_per_reading']:.0f} µs | "
                  f"{row['core_percent']:.2f} % | {row['curves']} |")
    for row in rows:
        if row["what"] == "reclaim":
            print(f"\nA storm of reclaims (512 MiB through a cgroup of 16 MiB, {row['reclaims']} reclaims, "
                  f"{row['lost']} of them not timed): the programs take {row['ns_per_reclaim']:.0f} ns each, and the "
                  f"storm {row['ratio']:.3f} times as long as without them (median of pairs).")


def journal_rows():
    """Of each group size: records, milliseconds a commit, records a second."""
    done = subprocess.run([binary("store_bench"), "--events=0", "--benchmark_filter=journal_append",
                           "--benchmark_format=json"], stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout[done.stdout.index("{"):])
    return [(int(row["name"].split("/")[1]), row["real_time"], row["items_per_second"])
            for row in report["benchmarks"]]


def main():
    state = tempfile.mkdtemp(prefix="oombox-bench-")
    cgroup = MeteredCgroup("oombox-bench-agent")
    cold = MeteredCgroup("oombox-bench-cold")
    first_start = page_cache_of_a_first_start(state, cold)
    cold.remove()
    agent = start_agent(state, cgroup)
    try:
        time.sleep(5)
        cpu = cpu_seconds(agent.pid)
        time.sleep(IDLE_SECONDS)
        idle_cpu = (cpu_seconds(agent.pid) - cpu) / IDLE_SECONDS
        idle_held = cgroup.held()
        syncs = fsync_ms(state)
        total, commit = kill_to_client(state)
        busy_held, busy_cache = cgroup.held(), cgroup.page_cache()
        records, ring_bytes = ring_bytes_per_kill(state)
        agent.terminate()
        agent.wait()
        without, attached = spawn_with_and_without(state, cgroup)
    finally:
        agent.kill()
        agent.wait()
        cgroup.remove()
        shutil.rmtree(state)
    rows = oom_lock_rows()
    pressure = pressure_rows()
    appends = journal_rows()

    print("# Benchmarks\n\nGenerated by `tests/bench/run`; do not edit.\n")
    print(f"{datetime.date.today()}, Linux {platform.release()}, {os.cpu_count()} CPUs, release build.\n")
    print("| what | measured | budget |\n|---|---|---|")
    print(f"| kill → line on a client of the agent's socket, after commit ({len(total)} kills) | "
          f"p50 {percentile(total, .5):.1f} ms, p99 {percentile(total, .99):.1f} ms | "
          "p50 ≤ 10 ms, p99 ≤ 50 ms |")
    print(f"| of it: kill → the agent has the record | p50 {percentile(commit, .5):.1f} ms, "
          f"p99 {percentile(commit, .99):.1f} ms | |")
    print(f"| one 4 KiB fdatasync on this disk | p50 {statistics.median(syncs):.2f} ms, "
          f"p99 {percentile(syncs, .99):.2f} ms | |")
    for records, commit_ms, rate in appends:
        print(f"| journal: a group of {records} kill record{'s' if records > 1 else ''}, durable | "
              f"{commit_ms:.2f} ms, {rate:.0f} records a second | |")
    print(f"| memory charged to the agent's cgroup, idle, but for page cache | {idle_held / 2**20:.1f} MiB | ≤ 32 MiB |")
    print(f"| page cache charged with it, where nothing of program and libraries was in memory | "
          f"{first_start / 2**20:.1f} MiB; together {(idle_held + first_start) / 2**20:.1f} MiB | ≤ 32 MiB together |")
    print(f"| memory charged after {KILLS} kills, but for page cache; page cache (store and journal, too) | "
          f"{busy_held / 2**20:.1f} MiB; {busy_cache / 2**20:.1f} MiB | |")
    print(f"| CPU, nothing happening ({IDLE_SECONDS} s) | {idle_cpu * 100:.2f} % of a core | ≤ 0.3 % |")
    print(f"| ring: a kill, its command lines with it ({records:.1f} records) | {ring_bytes:.0f} bytes | |")
    print(f"| BPF object: verified, loaded, attached | {load_ms():.0f} ms | |")
    print(f"| a process started and ended, without and with the agent | {without:.0f} µs, {attached:.0f} µs | |")
    print("\n## Time under oom_lock\n\nRun time per kill, as the programs measure it themselves (run_ns).\n")
    print("| processes | where | median | max |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row['tasks']} | {row['where']} | {row['median_us']:.0f} µs | {row['max_us']:.0f} µs |")
    print_pressure(pressure)
    collector.print_section()


if __name__ == "__main__":
    main()
