"""Memory pressure on cgroup v2: a leak, a limit lowered below what is used; a throttle and a thrash without a kill."""

import json
import os
import unittest

import debian_kernels
import guest
from guest_case import GuestCase, node
from lib.events import parse_events

MIB = 1 << 20


class PressureTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def test_pressure_is_told_before_a_kill_and_without_one(self):
        every = os.environ.get("OOMBOX_KERNELS") == "all"
        for kernel in debian_kernels.kernels() if every else ["6.1"]:
            name = getattr(kernel, "name", kernel)
            with self.subTest(kernel=name):
                disk = guest.make_disk(os.path.join(self.folder, f"disk-{name}"), 256)
                # Slow enough that a thrash waits for it, however busy the host's CPUs are.
                frames = self.play("pressure", kernel=self.kernel(name), disk=disk,
                                   disk_reads_per_second=200)
                events = [event for text in (t for n, t in frames.items() if n.startswith("event "))
                          for event in parse_events(text)]
                # Newest first: of several in a cgroup the first counts.
                kills = {event["oom"]["limit_hit"]["cgroup_path"]: event for event in events}
                self.check_leak(frames, kills["/leak"])
                self.check_throttle(frames)
                self.check_thrash(frames)
                self.check_lowered(kills["/lowered"])
                self.check_reclaim(frames, name)
                self.check_node(frames)
                self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])

    def test_without_psi_the_working_set_tells_and_the_report_says_so(self):
        frames = self.play("no-psi", append="psi=0")
        states = [event["pressure"]["state"] for event in
                  sorted(parse_events(frames["pressure leak"]), key=lambda e: e["boottime_ns"])]
        self.assertEqual(states[:2], ["STATE_WARNING", "STATE_CRITICAL"])
        report = node(frames)
        lacking = {entry["field"]: entry["reason"] for entry in report["coverage"]["unavailable"]}
        self.assertIn("psi=1", lacking.get("pressure.psi", ""))
        self.assertNotIn("some_avg10_percent", json.dumps(report["containers"]))
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])

    def check_leak(self, frames, kill):
        changes = sorted(parse_events(frames["pressure leak"]), key=lambda e: e["boottime_ns"])
        self.assertEqual([change["pressure"]["state"] for change in changes],
                         ["STATE_WARNING", "STATE_CRITICAL", "STATE_OK"])
        critical = changes[1]
        self.assertLess(critical["boottime_ns"], kill["boottime_ns"])
        self.assertEqual(kill["oom"]["pressure_event_id"], critical["event_id"])
        self.assertEqual(critical["pressure"]["kill_event_id"], kill["event_id"])
        self.assertIn("some_avg10_percent", critical["pressure"]["pressure"], "PSI of the cgroup")
        first = json.loads(frames["top"])["nodes"][0]["report"]["containers"][0]
        self.assertEqual(first["cgroup_path"], "/leak", "the next victim, before its kill")
        points = kill["oom"]["curve"]["points"]
        self.assertGreater(len(points), 10)
        self.assertEqual(points[-1]["provenance"], "PROVENANCE_AT_KILL")
        usages = [point["usage_bytes"] for point in points]
        self.assertLess(usages[0], 30 * MIB)
        self.assertGreater(usages[-2], 45 * MIB)

    def check_throttle(self, frames):
        """It stands still at memory.high: critical, and nobody is killed."""
        states = [event["pressure"] for event in parse_events(frames["pressure high"])]
        self.assertIn("STATE_CRITICAL", [state["state"] for state in states])
        row, = (row for row in node({"status": frames["status high"]})["containers"]
                if row["cgroup_path"] == "/high")
        counters = dict(line.split() for line in frames["events high"].splitlines())
        self.assertGreater(int(row["events"]["high"]), 0)
        self.assertLessEqual(int(row["events"]["high"]), int(counters["high"]))
        self.assertEqual(int(counters["oom_kill"]), 0)
        self.assertGreater(row["pressure"]["full_avg10_percent"], 10)
        self.assertEqual(int(row["high_bytes"]), 24 * MIB)
        self.assertNotIn("limit_bytes", row)

    def check_thrash(self, frames):
        """Its code does not fit: critical because it waits, and foretold is nothing."""
        states = [event["pressure"] for event in parse_events(frames["pressure thrash"])]
        critical = [state for state in states if state["state"] == "STATE_CRITICAL"]
        self.assertEqual([state["cause"] for state in critical], ["CAUSE_STALLS"], states)
        self.assertGreater(critical[0]["pressure"]["full_avg10_percent"], 20)
        self.assertLess(int(critical[0]["unreclaimable_bytes"]), 3 * MIB)
        self.assertGreater(int(critical[0]["cgroup"]["usage_bytes"]), 8 * MIB)
        self.assertNotIn("time_to_limit", critical[0].get("trend", {}))
        self.assertEqual(json.loads(frames["memhog thrash"])["observed_kills"], 0)

    def check_node(self, frames):
        """PSI has the stalls of all cgroups: they are not the node's, which has room."""
        paths = {event["pressure"]["cgroup"].get("path") for event in parse_events(frames["watched"])}
        self.assertLessEqual({"/leak", "/high", "/thrash"}, paths)
        self.assertLessEqual(paths, {"/leak", "/high", "/thrash", "/lowered"})

    def check_lowered(self, kill):
        points = kill["oom"]["curve"]["points"]
        self.assertEqual(points[0]["limit_bytes"], 200 * MIB)
        self.assertEqual(points[-1]["limit_bytes"], 20 * MIB)

    def check_reclaim(self, frames, kernel):
        """The programs fit this kernel, and count."""
        report = node(frames)
        reclaim = report["pressure_watch"]["reclaim"]
        named = tuple(map(int, kernel.split("-", maxsplit=1)[0].split("."))) >= (7, 2)
        self.assertEqual(reclaim["attribution"],
                         "ATTRIBUTION_TARGET" if named else "ATTRIBUTION_TASK")
        self.assertGreater(int(reclaim["reclaims"]), 0)
        lacking = [entry["field"] for entry in report["coverage"].get("unavailable", [])]
        self.assertEqual([name for name in lacking if name.startswith(("pressure", "curve"))], [])


if __name__ == "__main__":
    unittest.main()
