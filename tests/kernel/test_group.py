"""memory.oom.group with a thousand processes: a run of the OOM killer is one event, every number the kernel's.

How many runs there are, whom they kill and what is counted twice is read from the kernel's log and
memory.events, so that the accounting is judged whatever the kernel did; one failure hides no other.
"""

import os
import re
import time
import unittest

import debian_kernels
from guest_case import GuestCase, node
from lib.events import parse_events

PROCESSES = 1002
LIMIT = 448 << 20
MAX_EVENT_BYTES = 256 << 10
LINE = re.compile(r"^\[ *(?P<seconds>[\d.]+)\] .*?"
                  r"(?:Killed process (?P<pid>\d+)|(?P<group>are going to be killed))")
# The kernel prints a line for each victim on the console, which says when to hold it up.
PAUSES_AFTER = (1, 300, 700)
PAUSE_SECONDS = 1.6
ATTEMPTS = 4


class GroupKillTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def test_a_group_kill_of_1002_processes_is_one_event_that_counts_them_all(self):
        for kernel in self.kernels():
            with self.subTest(kernel=kernel):
                self.check(self.start("group", kernel=self.kernel(kernel)).wait())

    # A busy host or a slow console holds the kernel up between two victims: it is the same run.
    def test_a_group_kill_that_stands_still_for_seconds_is_still_one_event(self):
        for kernel in self.kernels():
            with self.subTest(kernel=kernel):
                stood_still = any(self.stood_still(kernel) for _ in range(ATTEMPTS))
                self.expect("it stood still", stood_still, True)

    def stood_still(self, kernel):
        """False: this host was too slow to hold it up in the second that the kill takes."""
        guest = self.start("group", kernel=self.kernel(kernel))
        self.hold_up(guest)
        frames = guest.wait()
        self.check(frames)
        times = [seconds for seconds, _, _ in kernel_lines(frames)]
        pauses = [later - earlier for earlier, later in zip(times, times[1:])]
        return sum(pause > 1 for pause in pauses) >= 2

    def kernels(self):
        every = os.environ.get("OOMBOX_KERNELS") == "all"
        return [k.name for k in debian_kernels.kernels()] if every else ["6.1"]

    def hold_up(self, guest):
        todo = list(PAUSES_AFTER)
        while todo and guest.running():
            if guest.console_count("Killed process") >= todo[0]:
                guest.stand_still(PAUSE_SECONDS)
                todo.pop(0)
            time.sleep(0.001)

    def expect(self, what, found, expected):
        with self.subTest(what):
            self.assertEqual(found, expected)

    def check(self, frames):
        self.keep("group", frames)
        self.expect("complaints", frames["errors"], "")
        self.expect("exit of the agent", frames["agent-exit"], "0")
        self.expect("only the last process reaches the limit",
                    int(frames["before"]) < LIMIT // 2, True)
        runs = runs_of(frames)
        lines = sum(map(len, runs))
        victims = [set(run) for run in runs]
        twice = lines - sum(map(len, victims))
        self.check_kernel(frames, runs, lines)
        self.check_events(frames, runs)
        self.check_accounting(node(frames), lines, twice, len(runs))

    def check_kernel(self, frames, runs, lines):
        """What the kernel says in three places is the same, and what was asked for."""
        events = dict(line.split() for line in frames["memory-events"].splitlines())
        self.expect("processes killed", len({pid for run in runs for pid in run}), PROCESSES)
        self.expect("vmstat", frames["vmstat"], f"oom_kill {lines}")
        self.expect("memory.events oom_kill", int(events["oom_kill"]), lines)
        if "oom_group_kill" in events:  # since 5.17
            self.expect("memory.events oom_group_kill", int(events["oom_group_kill"]), len(runs))

    def check_events(self, frames, runs):
        # The list, and not what was fetched by id: a gap or an OOM without a kill would be in it.
        listed = sorted(next(iter(event.keys() & {"oom", "gap", "no_kill", "pressure"}), "?")
                        for event in parse_events(frames["list"]))
        self.expect("one event for each run", listed, ["oom"] * len(runs))
        found = sorted(((event["oom"]["victims"][0]["tgid"], event["oom"]["victims_total"])
                        for name in frames if name.startswith("event ")
                        for event in parse_events(frames[name]) if "oom" in event))
        self.expect("first victim and number of victims", found,
                    sorted((run[0], len(set(run))) for run in runs))

    def check_accounting(self, report, lines, twice, runs):
        accounting = report["accounting"]

        def term(name):
            return accounting.get(name, 0)

        self.expect("kernel_kills", term("kernel_kills"), lines)
        # The kernel counts the first victim of a group twice.
        self.expect("kills the kernel counts twice", twice, runs)
        self.expect("double_counted", term("double_counted"), twice)
        self.expect("captured", term("captured"), lines - twice)
        self.expect("events", term("events"), runs)
        self.expect("drops", (term("dropped_ring_full"), term("dropped_recursion")), (0, 0))
        self.expect("gap", term("gap"), 0)
        self.expect("the identity", term("kernel_kills"),
                    sum(map(term, ("captured", "dropped_ring_full", "dropped_recursion",
                                   "double_counted", "gap"))))
        self.expect("coverage", report["coverage"]["state"], "STATE_COMPLETE")
        # It is all that the store holds.
        self.expect("size", int(report["depths"]["store_bytes"]) <= MAX_EVENT_BYTES * runs, True)


def kernel_lines(frames):
    """Time, victim or None, whether it is the line that begins a group, of the kernel's log."""
    matches = filter(None, map(LINE.match, frames["kernel-log"].splitlines()))
    return [(float(match["seconds"]), match["pid"] and int(match["pid"]), bool(match["group"]))
            for match in matches]


def runs_of(frames):
    """Pids of every run, as often as the kernel counted them: the first dies before its group does."""
    runs, alone = [], []
    for _, pid, begins_group in kernel_lines(frames):
        if not begins_group:
            (runs[-1] if runs else alone).append(pid)
        elif runs:
            runs.append([runs[-1].pop()])
        else:
            runs.append([alone.pop()])
    # Without a group: a run each.
    return [[pid] for pid in alone] + runs


if __name__ == "__main__":
    unittest.main()
