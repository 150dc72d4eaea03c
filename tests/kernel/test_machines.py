"""Kills on machines that are not like the others: two NUMA nodes, 64 CPUs."""

import json
import unittest

from guest_case import GuestCase
from lib import compare
from lib.events import parse_events
from lib.kernel_report import parse
from lib.machine import prints_exact_sums
from test_guest import TIMESTAMP

NODE_MIB = 512
NODES = ("-object", f"memory-backend-ram,id=first,size={NODE_MIB}M",
         "-object", f"memory-backend-ram,id=second,size={NODE_MIB}M",
         "-numa", "node,memdev=first,cpus=0-1", "-numa", "node,memdev=second")
class MachinesTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def kills_and_events(self, play, kernel, **options):
        frames = self.play(play, kernel=self.kernel(kernel), **options)
        kills = {kill.pid: kill
                 for kill in parse(TIMESTAMP.sub("", line) for line in frames["dmesg"].split("\n"))}
        events = [parse_events(text)[0] for name, text in frames.items() if name.startswith("event ")]
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])
        return frames, kills, {event["oom"]["victims"][0]["tgid"]: event["oom"] for event in events}

    def test_a_full_node_is_no_full_machine(self):
        frames, kills, events = self.kills_and_events("numa", "6.1", memory_mib=2 * NODE_MIB,
                                                      machine=NODES)
        policy, = (p["pid"] for p in json.loads(frames["truth policy"])["processes"] if p["sigkilled"])
        for pid, constraint in ((int(frames["cpuset"]), "CONSTRAINT_CPUSET"),
                                (policy, "CONSTRAINT_MEMORY_POLICY")):
            with self.subTest(constraint=constraint):
                oom, kill = events[pid], kills[pid]
                self.assertEqual(kill.report.constraint, constraint)
                self.assertEqual([], list(compare.against_kernel(
                    oom, kill, prints_exact_sums(frames["release"]))))
                self.assertEqual(oom["decision"]["constraint"], constraint)
                self.assertEqual(oom["scope"], "OOM_SCOPE_NODE")

    def test_sums_over_64_cpus_are_the_kernels_own(self):
        frames, kills, events = self.kills_and_events("many-cpus", "7.3", cpus="64")
        self.assertEqual(frames["possible"], "0-63")
        self.assertTrue(prints_exact_sums(frames["release"]))
        self.assertEqual(len(events), 2)
        for pid, oom in events.items():
            self.assertEqual([], list(compare.against_kernel(oom, kills[pid], True)))
            # The other users' are summed only as far as the time lasts: on emulated CPUs it does not.
            self.assertIn("exact", oom["victims"][0]["memory"])


if __name__ == "__main__":
    unittest.main()
