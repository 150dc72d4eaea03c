"""Real kills on cgroup v2 in a guest: every number against its kernel's report and the truth."""

import json
import os
import re
import unittest

import compatibility
import debian_kernels
from guest_case import GuestCase
from lib import compare
from lib.events import parse_events
from lib.kernel_report import parse
from lib.machine import prints_exact_sums, tells_of_no_victim

TIMESTAMP = re.compile(r"^\[ *\d+\.\d+\] ")


SCENARIOS = ("grow", "neighbour", "child", "own", "ancestor", "tmpfs", "leader", "sharer", "init",
             "threads", "tasks", "socket")


class GuestTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")
    table = compatibility.Table()

    def setUp(self):
        self.moved = {}  # scenario -> differences, of a boot

    def test_kills_in_every_kernel_equal_its_report_and_the_truth(self):
        tag = None if os.environ.get("OOMBOX_KERNELS") == "all" else "smoke"
        for kernel in debian_kernels.kernels(tag):
            with self.subTest(kernel=kernel.name):
                self.equal_at_last(self.check_boot, kernel.name)
        if tag is None:
            self.equal_at_last(self.check_cgroup_v1, "6.1")
        self.table.write()

    def equal_at_last(self, check, kernel):
        """What the kernel made differ is equal in another boot."""
        check(kernel)
        if first := self.moved:
            self.moved = {}
            check(kernel)
            self.assertEqual(first.keys() & self.moved.keys(), set(), first)
        self.moved = {}

    def check_boot(self, kernel):
        frames = self.start("kills", self.kernel(kernel)).wait()
        self.keep(f"kills-{kernel}", frames)
        self.check(kernel, frames)

    def check_cgroup_v1(self, kernel):
        frames = self.start("kills-v1", self.kernel(kernel), cgroup=1).wait()
        self.keep("kills-v1", frames)
        self.assertIn("list", frames, frames["agent-log"])
        self.assertEqual(frames["errors"], "")
        self.check_scenarios(f"{kernel}, cgroup v1", frames,
                             [name for name in SCENARIOS if name != "own"], 1)

    def check(self, kernel, frames):
        self.assertIn("list", frames, frames["agent-log"])
        self.assertEqual(frames["errors"], "")
        self.assertEqual(frames["leftovers"], "", "memhog left cgroups behind")
        self.assertNotIn("by helper calls", frames["agent-log"], "refused the direct object")
        exact = prints_exact_sums(frames["release"])
        kills, events = self.kills_and_events(frames)
        self.check_scenarios(kernel, frames, SCENARIOS, 2)
        self.check_odd(kernel, frames, kills, events, exact)
        self.check_sysrq(int(frames["sysrq target"]), events)
        self.check_storm(json.loads(frames["truth storm"]), parse_events(frames["list"]))
        self.check_group(parse_events(frames["group"])[0], json.loads(frames["accounting"]))
        self.check_no_kills(kernel, frames)
        self.assertIn("guest", frames["status"])
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])

    def kills_and_events(self, frames):
        kills = parse(TIMESTAMP.sub("", line) for line in frames["dmesg"].split("\n"))
        return kills, [parse_events(text)[0] for name, text in frames.items()
                       if name.startswith("event ")]

    def check_scenarios(self, kernel, frames, scenarios, cgroup_version):
        exact = prints_exact_sums(frames["release"])
        kills, events = self.kills_and_events(frames)
        for scenario in scenarios:
            with self.subTest(kernel=kernel, scenario=scenario):
                truth = json.loads(frames[f"truth {scenario}"])
                self.assertEqual(truth["cgroup_version"], cgroup_version)
                event, differences = self.differences(truth, kills, events, exact)
                self.table.event(kernel, event["oom"])
                self.check_equal(kernel, scenario, differences)
        self.assertEqual(self.table.without(kernel), compatibility.WITHOUT.get(kernel, set()))

    def check_equal(self, kernel, scenario, differences):
        """No difference, but for what another boot must not have."""
        moved = [line for line in differences if isinstance(line, compare.MovedMeanwhile)]
        ours = [line for line in differences if line not in moved]
        self.table.scenario(kernel, scenario, ours)
        self.assertEqual([], ours)
        if moved:
            self.moved[scenario] = moved

    def differences(self, truth, kills, events, exact):
        """The event of a scenario, and where it differs from the kernel's report or the truth."""
        process, = (p for p in truth["processes"] if p["sigkilled"])
        scenario = truth["scenario"]
        event, = (e for e in events if process["pid"] in involved(e["oom"], scenario))
        victim = event["oom"]["victims"][0]
        kill, = (k for k in kills if k.pid == victim["tid"])
        self.assertIsNotNone(kill.report, "the kernel printed no report")
        if scenario == "sharer":
            # Of two that share their memory the kernel takes either; memhog knows the first.
            found = compare.victim_against_kernel(victim, kill, exact, shares_memory=True)
            found += compare.decision_against_kernel(event["oom"], kill.report)
        else:
            found = compare.everything(event, kill, truth, process, lambda path: None, exact)
        return event, [*found, *compare.circumstances(event["oom"], scenario)]

    def check_odd(self, kernel, frames, kills, events, exact):
        hostile = json.loads(frames["truth hostile"])["processes"][0]["pid"]
        event, = (e for e in events if e["oom"]["victims"][0]["tgid"] == hostile)
        # The guest's log is no text that could be compared with.
        self.assertEqual(event["oom"]["victims"][0]["comm"], '\\x1b[2J\\xff"')
        self.assertEqual(event["oom"]["limit_hit"]["cgroup_path"], '/evil\\x1b[31m\\x09\\xff"')
        self.table.scenario(kernel, "hostile names", [])
        for name in ("deep", "dd", "page-cache"):
            with self.subTest(kernel=kernel, scenario=name):
                truth = json.loads(frames[f"truth {name}"])
                process, = (p for p in truth["processes"] if p["sigkilled"])
                event, = (e for e in events if e["oom"]["victims"][0]["tgid"] == process["pid"])
                kill, = (k for k in kills if k.pid == process["pid"])
                if truth["scenario"] == "run":
                    found = compare.against_kernel(event["oom"], kill, exact)
                else:
                    found = compare.everything(event, kill, truth, process, lambda path: None, exact)
                self.check_equal(kernel, name, found)
        self.check_storm(json.loads(frames["truth left"]), parse_events(frames["list of two storms"]))
        self.check_storm(json.loads(frames["truth right"]), parse_events(frames["list of two storms"]))
        self.table.scenario(kernel, "two storms at once", [])

    def check_sysrq(self, target, events):
        event, = (e for e in events if e["oom"]["victims"][0]["tgid"] == target)
        self.assertEqual(event["oom"]["decision"]["order"], -1)
        self.assertEqual(event["oom"]["trigger"]["activity"], "ACTIVITY_SYSRQ")
        self.assertEqual(event["oom"]["scope"], "OOM_SCOPE_NODE")

    def check_no_kills(self, kernel, frames):
        told = [e["no_kill"] for e in parse_events(frames["no-kills"])]
        init = int(frames["killed init"])
        killed, = (e for e in told if e["kind"] == "KIND_INIT_KILLED" and e["process"]["tgid"] == init)
        self.assertEqual(killed["process"]["namespace_pid"], 1)
        self.assertEqual(killed["sender"]["comm"], "init")
        self.table.scenario(kernel, "SIGKILL to an init", [])
        nobody = [e for e in told if e["kind"] == "KIND_NO_VICTIM"]
        if tells_of_no_victim(frames["release"]):
            self.assertEqual(nobody[0]["process"]["comm"], "dd")
            self.assertEqual(nobody[0]["process"]["cgroup_tail"], "stuck")
            self.table.scenario(kernel, "nobody to kill", [])
        else:
            self.assertEqual(nobody, [])
            self.table.not_seen(kernel, "nobody to kill")

    def check_storm(self, truth, listed):
        pids = sorted(p["pid"] for p in truth["processes"])
        cgroup_id = truth["cgroups"][0]["id"]
        stormy = [e for e in listed if e["oom"]["limit_hit"].get("cgroup_id") == cgroup_id]
        self.assertEqual(sorted(e["oom"]["victims"][0]["tgid"] for e in stormy), pids)
        self.assertEqual(len({e["event_id"] for e in listed}), len(listed))

    def check_group(self, event, status):
        """Three processes killed in one run of the OOM killer are one event."""
        oom = event["oom"]
        self.assertEqual(oom["victims_total"], 3)
        self.assertEqual(sorted(v["comm"] for v in oom["victims"]), ["sleep", "sleep", "tail"])
        self.assertEqual([v["role"] for v in oom["victims"]],
                         ["VICTIM_ROLE_CHOSEN"] + 2 * ["VICTIM_ROLE_GROUP_MEMBER"])
        self.assertEqual(len({v["tgid"] for v in oom["victims"]}), 3)
        self.assertTrue(all(user.get("victim") for user in oom.get("top_users", [])))
        report = status["nodes"][0]["report"]
        accounting = {k: int(v) for k, v in report["accounting"].items()}
        # The kernel counts the first victim of a group twice.
        self.assertEqual(accounting["double_counted"], 1)
        self.assertEqual(accounting["kernel_kills"], accounting["captured"] + 1)
        self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE")


def involved(oom, scenario):
    """Whom the scenario is about: its victim, or who shared the victim's memory."""
    shared = oom.get("related", []) if scenario == "sharer" else []
    return [p["tgid"] for p in oom["victims"] + shared]


if __name__ == "__main__":
    unittest.main()
