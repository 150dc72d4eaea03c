"""The minutes before a kill: warned before it, a curve that a second observer confirms, no false alarm."""

import json
import os
import subprocess
import sys
import threading
import time
import unittest

from lib.events import parse_events
from lib.machine import require_real_kills
from lib.programs import Agent, Scratch, binary, eventually, list_events, oombox

MIB = 1 << 20
PYTHON = "/usr/bin/python3"

# Touches a MiB every STEP seconds, for ever; and some at once before, where it is told how many.
LEAK = """
import sys, time
keep = []
def touch(mib):
    keep.append(bytearray(mib << 20))
    keep[-1][::4096] = b'x' * (256 * mib)
for mib in sys.argv[2:]:
    touch(int(mib))
while True:
    touch(1)
    time.sleep(float(sys.argv[1]))
"""
# Holds 20 MiB, 110 MiB for 300 ms, then 20 MiB again. Says how long it was above 85 MiB: longer on a busy machine.
SPIKE = """
import mmap, sys, time
def take(area, begin, end):
    area[begin << 20:end << 20:4096] = b'x' * ((end - begin) << 8)
keep = mmap.mmap(-1, 20 << 20)
take(keep, 0, 20)
time.sleep(2)
spike = mmap.mmap(-1, 90 << 20)
take(spike, 0, 65)
begin = time.monotonic()
take(spike, 65, 90)
time.sleep(0.3)
spike.close()
print('spike', time.monotonic() - begin, file=sys.stderr)
time.sleep(5)
"""
# Two readings so far apart make an alarm (agent/pressure/pressure_state.h, kConfirmNs).
CONFIRM = 0.4
ATTEMPTS = 8
# A CPU counts what it takes, and gives back, in batches (MEMCG_CHARGE_BATCH pages, mm/memcontrol.c).
BATCH = 64 * 4096
# From that stretch on the brake slows what is near, too (agent/pressure/watched.cc, Interval).
BRAKES_NEAR = 4
# Reads a file bigger than the limit again and again.
CACHE = """
import os, sys, time
end = time.monotonic() + 6
with open(sys.argv[1], 'wb') as out:
    for _ in range(96):
        out.write(os.urandom(1 << 20))
        out.flush()
        os.fsync(out.fileno())
while time.monotonic() < end:
    with open(sys.argv[1], 'rb', buffering=0) as file:
        while file.read(1 << 20):
            pass
"""
# Up and down between 30 and 120 MiB.
SAW = """
import mmap, time
end = time.monotonic() + 18
while time.monotonic() < end:
    area = mmap.mmap(-1, 115 << 20)
    for at in range(0, 115 << 20, 4096):
        area[at] = 1
    time.sleep(2)
    area.close()
    time.sleep(2)
"""


def setUpModule():
    require_real_kills()


def memory_cgroup():
    """Path of the folder of this process' own memory cgroup."""
    with open("/proc/self/cgroup", encoding="ascii") as lines:
        for line in lines:
            _, controllers, path = line.strip().split(":", 2)
            if "memory" in controllers.split(","):
                return "/sys/fs/cgroup/memory" + path
            unified = path if controllers == "" else None
    return "/sys/fs/cgroup" + (unified or "")


class Observer(threading.Thread):
    """Reads the cgroup's usage by itself, every 20 ms."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.over = folder, threading.Event()
        self.looks, self.readings = [], []
        self.look()

    def run(self):
        while not self.over.wait(0.02):
            self.look()

    def look(self):
        begin, usage = time.time(), self.read()
        self.looks.append(time.time())
        if usage is not None:
            self.readings.append((begin, self.looks[-1], usage))

    def read(self):
        for name in ("memory.current", "memory.usage_in_bytes"):
            try:
                with open(f"{self.folder}/{name}", encoding="ascii") as file:
                    return int(file.read())
            except (OSError, ValueError):
                pass
        # The agent may read a new cgroup before this does: it had nothing before it was made.
        return None if any(usage for _, _, usage in self.readings) else 0

    def bracket(self, begin, end):
        """From its last reading before that time to its first after it."""
        first = max((i for i, reading in enumerate(self.readings) if reading[1] <= begin), default=len(self.readings))
        last = min((i for i, reading in enumerate(self.readings) if reading[0] >= end), default=len(self.readings))
        return self.readings[first:last + 1]

    def longest_gap(self, begin, end):
        """Seconds between those times in which this machine did not let it look."""
        return max(min(after, end) - max(before, begin) for before, after in zip(self.looks, self.looks[1:])
                   if before < end and after > begin)


class Waits(threading.Thread):
    """How long each thread of a process has been ready to run, and was not let: the kernel counts it."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.looks, self.over = pid, [], threading.Event()
        self.look()

    def run(self):
        while not self.over.wait(0.1):
            self.look()
        self.look()

    def look(self):
        begin, waited = time.time(), {}
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    waited[thread] = int(file.read().split()[1]) / 1e9
            except (OSError, IndexError):  # it has ended, or the kernel does not count
                pass
        self.looks.append((begin, time.time(), waited))

    def longest(self, begin, end):
        """Of the thread that was held up the longest between those times, in seconds."""
        before = [waited for _, at, waited in self.looks if at <= begin][-1]
        after = [waited for at, _, waited in self.looks if at >= end][0]
        return max((after[thread] - before.get(thread, 0) for thread in after), default=0)


def seconds(timestamp):
    whole, _, fraction = timestamp.rstrip("Z").partition(".")
    return (time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone
            + float("0." + (fraction or "0")))


class PressureTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.agent = Agent(self, self.scratch).wait_ready()
        self.use_cgroup(f"pressure-{os.getpid()}-{self._testMethodName[:20]}")

    def use_cgroup(self, name):
        self.name, self.folder = name, f"{memory_cgroup()}/{name}"

    def hog(self, program, *arguments, limit="128Mi", cpus=None):
        """On those CPUs, where they are given: a child has those of the thread that starts it."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cpus or before)
        try:
            running = subprocess.Popen(
                [binary("memhog"), "run", "--limit", limit, "--name", self.name, "--timeout", "120", "--",
                 PYTHON, "-c", program, *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        finally:
            os.sched_setaffinity(0, before)
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        return running

    def pressures(self):
        done = oombox("list", "--kind", "pressure", "--cgroup", self.name, "-o", "jsonl",
                      server=self.agent.address)
        self.assertEqual(done.returncode, 0, done.stderr)
        return sorted(parse_events(done.stdout), key=lambda event: event["boottime_ns"])

    def row(self):
        """What `top` says of the cgroup."""
        done = oombox("top", "-o", "json", server=self.agent.address)
        for node in json.loads(done.stdout).get("nodes", []):
            for row in node["report"].get("containers", []):
                if row["cgroup_path"].endswith(self.name):
                    return row
        return None

    def watch(self):
        """What the node says of its watch over memory."""
        done = oombox("status", "-o", "json", server=self.agent.address)
        node, = json.loads(done.stdout)["nodes"]
        return node["report"].get("pressure_watch")

    def test_a_leak_is_a_warning_then_critical_then_a_kill_and_they_are_linked(self):
        observer = Observer(self.folder)
        observer.start()
        # Five seconds from 80 % to 90 %, and from there to its kill.
        running = self.hog(LEAK, "0.42", "64", cpus={max(os.sched_getaffinity(0))})
        eventually(lambda: (self.row() or {}).get("trend", {}).get("time_to_limit"), timeout=60,
                   why="the time to its limit, before it is there")
        warned = eventually(self.pressures, timeout=60, why="a warning")
        self.assertIsNone(running.poll(), "warned before it was killed")
        first = json.loads(oombox("top", "-o", "json", server=self.agent.address).stdout)
        self.assertTrue(first["nodes"][0]["report"]["containers"][0]["cgroup_path"]
                        .endswith(self.name), "top names the next victim first")
        self.assertEqual(running.wait(timeout=120), 0)
        observer.over.set()

        kill, = eventually(lambda: list_events("--cgroup", self.name, server=self.agent.address),
                           why="the kill")
        states = eventually(lambda: [e for e in [self.pressures()] if len(e) >= 3], timeout=60,
                            why="warning, critical and the end")[0]
        self.assertEqual([event["pressure"]["state"] for event in states],
                         ["STATE_WARNING", "STATE_CRITICAL", "STATE_OK"])
        self.assertEqual(states[0]["event_id"], warned[0]["event_id"])
        critical = states[1]
        self.assertLess(int(critical["boottime_ns"]), int(kill["boottime_ns"]))
        self.assertEqual(kill["oom"]["pressure_event_id"], critical["event_id"])
        self.assertEqual(critical["pressure"]["kill_event_id"], kill["event_id"])

        points = kill["oom"]["curve"]["points"]
        self.assertGreater(len(points), 20)
        self.assertEqual(points[-1]["provenance"], "PROVENANCE_AT_KILL")
        killed_at = seconds(points[-1]["time"])
        for point, following in zip(points, points[1:]):
            # It was read after its time, which the curve cuts to 10 ms, and before the next.
            begin = seconds(point["time"])
            end = min(begin + 1, seconds(following["time"])) + 0.01
            seen = [usage for _, _, usage in observer.bracket(begin, end)]
            if end >= killed_at:  # the kernel's own, after which the cgroup may be gone
                seen.append(points[-1]["usage_bytes"])
            self.assertGreater(len(seen), 1, f"nobody else read before and after {point['time']}")
            self.assertGreaterEqual(point["usage_bytes"], min(seen) - BATCH, point)
            self.assertLessEqual(point["usage_bytes"], max(seen) + BATCH, point)
        drawn = oombox("curve", kill["event_id"], server=self.agent.address)
        self.assertEqual(drawn.returncode, 0, drawn.stderr)
        self.assertIn("limit 128 MiB", drawn.stdout)

    def test_a_spike_of_300_ms_is_no_alarm_and_is_in_the_maximum(self):
        for attempt in range(ATTEMPTS):
            self.use_cgroup(f"spike-{os.getpid()}-{attempt}")
            running = self.hog(SPIKE)
            eventually(lambda: int((self.row() or {}).get("usage_max_1m_bytes", 0)) > 100 * MIB,
                       timeout=30, why="the spike in the highest usage of the minute")
            _, said = running.communicate(timeout=60)
            if float(said.split("spike ")[1].split()[0]) < CONFIRM:
                self.assertEqual(self.pressures(), [])
                return
        self.fail(f"no spike of {ATTEMPTS} was short enough: {said}")

    def test_page_cache_at_the_limit_is_never_critical(self):
        file = self.scratch.file("big")
        running = self.hog(CACHE, file, limit="64Mi")
        running.wait(timeout=90)
        critical = [event for event in self.pressures()
                    if event["pressure"]["state"] == "STATE_CRITICAL"
                    and event["pressure"]["cause"] == "CAUSE_WORKING_SET"]
        self.assertEqual(critical, [])

    def test_a_thrash_is_stalls_and_foretells_no_kill(self):
        """Pages of the program's own code push each other out: on cgroup v1, where there is no PSI."""
        running = subprocess.Popen(
            [binary("memhog"), "thrash", "--limit", "64Mi", "--name", self.name, "--seconds", "25"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (running.kill(), running.communicate()))
        rows = []
        while running.poll() is None:
            if row := self.row():
                rows.append(row)
            time.sleep(1)
        self.assertEqual(running.returncode, 0, running.stderr.read())
        full = [row for row in rows if int(row["usage_bytes"]) > 60 * MIB]
        self.assertGreater(len(full), 5, rows)
        self.assertEqual([row["trend"] for row in full if "time_to_limit" in row.get("trend", {})], [],
                         "page cache fills it, and nobody will be killed")
        # Reclaim is looked at each second: the first rows may be without.
        self.assertGreater(max(row["pressure"].get("reclaim", {}).get("avg10_percent", 0) for row in full), 0)
        changes = [event["pressure"] for event in self.pressures()]
        self.assertNotIn("STATE_CRITICAL", [change["state"] for change in changes])
        self.assertEqual(list_events("--cgroup", self.name, server=self.agent.address), [])

    def test_the_curve_and_the_alarm_outlive_the_agent(self):
        running = self.hog(LEAK, "0.8", limit="64Mi")  # 10 s from the warning to the kill
        eventually(self.pressures, timeout=90, why="the warning")
        self.agent.kill()
        killed_at = time.time()
        self.agent = Agent(self, self.scratch).wait_ready()
        ready_at = time.time()
        self.assertEqual(running.wait(timeout=120), 0)

        kill, = eventually(lambda: list_events("--cgroup", self.name, server=self.agent.address), why="the kill")

        curve = kill["oom"]["curve"]
        before = [point for point in curve["points"] if seconds(point["time"]) < killed_at]
        self.assertGreater(len(before), 5, "what the first agent read")
        after = [point for point in curve["points"] if seconds(point["time"]) > ready_at
                 and point.get("provenance") != "PROVENANCE_AT_KILL"]
        self.assertGreater(len(after), 2, "and the second")
        changes = [event["pressure"]["state"] for event in self.pressures()]
        self.assertEqual(changes[:2], ["STATE_WARNING", "STATE_CRITICAL"], "neither is told twice")
        self.assertIn(kill["oom"]["pressure_event_id"], [event["event_id"] for event in self.pressures()])

    def test_among_5000_cgroups_a_leak_is_seen_in_time(self):
        limit = "memory.limit_in_bytes" if os.path.exists(
            f"{memory_cgroup()}/memory.limit_in_bytes") else "memory.max"
        folders = [f"{memory_cgroup()}/{self.name}-{i}" for i in range(5000)]
        self.addCleanup(lambda: [os.rmdir(folder) for folder in folders if os.path.isdir(folder)])
        for folder in folders:
            os.mkdir(folder)
            with open(f"{folder}/{limit}", "w", encoding="ascii") as file:
                file.write(str(64 * MIB))
        eventually(lambda: (w := self.watch()) and w["cgroups_watched"] >= 5000
                   and w["curves_refused"] > 4000,
                   timeout=120, why="5 000 cgroups watched, more than curves have room for")
        observer, waits = Observer(self.folder), Waits(self.agent.pid)
        observer.start()
        waits.start()
        running = self.hog(LEAK, "0.4", limit="64Mi")
        stretches = []
        while running.poll() is None:
            stretches.append(self.watch()["stretch"])
            time.sleep(1)
        self.assertEqual(running.returncode, 0)
        kill, = eventually(lambda: list_events("--cgroup", self.name, server=self.agent.address),
                           why="the kill")
        for thread in (observer, waits):
            thread.over.set()
            thread.join()
        alarm, = [event for event in self.pressures() if event["event_id"] == kill["oom"].get("pressure_event_id")]
        self.assertLess(int(alarm["boottime_ns"]), int(kill["boottime_ns"]))
        # Its curve found a place when it was near, 70 % of the limit; what is near is read each second where reading
        # costs too much, as it may be on a busy machine (agent/pressure/brake.h), and else four times as often. (That
        # it is read each 16 s only takes more than what 5 000 cost then, which is what is far each 160 s.)
        points = kill["oom"]["curve"]["points"]
        self.assertLess(int(points[0]["usage_bytes"]), 0.8 * 64 * MIB)
        read_at = [seconds(point["time"]) for point in points]
        for earlier, later in zip(read_at, read_at[1:]):
            kept = observer.longest_gap(earlier, later) + waits.longest(earlier, later)
            self.assertLess(later - earlier, 2 + kept, (stretches, points))
        if max(stretches) < BRAKES_NEAR:
            self.assertGreater(len(points), 20, (stretches, points))

    def test_a_saw_tooth_is_one_alarm(self):
        running = self.hog(SAW)
        running.wait(timeout=90)
        alarms = [event["pressure"]["state"] for event in self.pressures()
                  if event["pressure"]["cause"] != "CAUSE_REMOVED"]
        self.assertLessEqual(len(alarms), 2, alarms)
        self.assertEqual(alarms, sorted(set(alarms), reverse=True), "each state at most once")


if __name__ == "__main__":
    sys.exit(unittest.main())
