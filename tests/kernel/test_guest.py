"""Real kills on cgroup v2 in a guest: every number against its kernel's report and the truth."""

import json
import re
import unittest

import guest
from guest_case import GuestCase
from lib import compare
from lib.events import parse_events
from lib.kernel_report import parse
from lib.machine import prints_exact_sums

TIMESTAMP = re.compile(r"^\[ *\d+\.\d+\] ")


class GuestTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def test_kills_in_every_kernel_equal_its_report_and_the_truth(self):
        for name, package in guest.kernels():
            with self.subTest(kernel=name):
                self.check(self.start("kills", self.kernel(package)).wait())

    def check(self, frames):
        self.assertIn("list", frames, frames["agent-log"])
        self.assertEqual(frames["errors"], "")
        self.assertEqual(frames["leftovers"], "", "memhog left cgroups behind")
        exact = prints_exact_sums(frames["release"])
        kills = parse(TIMESTAMP.sub("", line) for line in frames["dmesg"].split("\n"))
        events = [parse_events(text)[0] for name, text in frames.items() if name.startswith("event ")]
        for scenario in ("grow", "neighbour", "child", "own"):
            with self.subTest(scenario=scenario):
                self.check_scenario(json.loads(frames[f"truth {scenario}"]), kills, events, exact)
        self.check_storm(json.loads(frames["truth storm"]), parse_events(frames["list"]))
        self.check_group(parse_events(frames["group"])[0], json.loads(frames["accounting"]))
        self.assertIn("guest", frames["status"])
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])

    def check_scenario(self, truth, kills, events, exact):
        self.assertEqual(truth["cgroup_version"], 2)
        process, = (p for p in truth["processes"] if p["sigkilled"])
        kill, = (k for k in kills if k.pid == process["pid"])
        self.assertIsNotNone(kill.report, "the kernel printed no report")
        event, = (e for e in events if e["oom"]["victims"][0]["tgid"] == process["pid"])

        self.assertEqual([], compare.everything(event, kill, truth, process, lambda path: None, exact))

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
        self.assertTrue(all(user.get("victim") for user in oom["top_users"]))
        report = status["nodes"][0]["report"]
        accounting = {k: int(v) for k, v in report["accounting"].items()}
        # The kernel counts the first victim of a group twice.
        self.assertEqual(accounting["double_counted"], 1)
        self.assertEqual(accounting["kernel_kills"], accounting["captured"] + 1)
        self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE")


if __name__ == "__main__":
    unittest.main()
