"""memory.oom.group with a thousand processes: one kill, one event, every number said beforehand."""

import os
import unittest

import debian_kernels
from guest_case import GuestCase, node
from lib.events import parse_events

PROCESSES = 1002
MAX_EVENT_BYTES = 256 << 10


class GroupKillTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def test_a_group_kill_of_1002_processes_is_one_event_that_counts_them_all(self):
        every = os.environ.get("OOMBOX_KERNELS") == "all"
        for kernel in [k.name for k in debian_kernels.kernels()] if every else ["6.1"]:
            with self.subTest(kernel=kernel):
                self.check(self.play("group", kernel=self.kernel(kernel)))

    def check(self, frames):
        self.assertEqual(frames["list"].count("\n"), 0, f"one kill, one event, no gap:\n{frames['list']}")
        event, = parse_events(frames["group"])
        self.assertEqual(event["oom"]["victims_total"], PROCESSES)
        report = node(frames)
        # It is all that the store holds.
        self.assertLessEqual(int(report["depths"]["store_bytes"]), MAX_EVENT_BYTES)
        accounting = report["accounting"]
        # The kernel counts the first victim of a group twice.
        self.assertEqual(frames["vmstat"], f"oom_kill {PROCESSES + 1}")
        self.assertEqual(accounting["kernel_kills"], PROCESSES + 1)
        self.assertEqual(accounting["captured"], PROCESSES)
        self.assertEqual(accounting["double_counted"], 1)
        self.assertEqual(accounting["events"], 1)
        self.assertEqual(accounting.get("dropped_ring_full", 0), 0)
        self.assertEqual(accounting.get("dropped_recursion", 0), 0)
        self.assertEqual(accounting.get("gap", 0), 0)
        self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE")
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])


if __name__ == "__main__":
    unittest.main()
