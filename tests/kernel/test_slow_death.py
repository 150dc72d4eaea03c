"""A victim of memory.oom.group that is slow to die: the next kill counts it again, and the accounting knows."""

import os
import re
import unittest

import debian_kernels
from guest_case import GuestCase, kills, node


class SlowDeathTest(GuestCase):
    programs = ("oombox-agent", "oombox", "held-exit")

    def test_a_victim_that_is_still_there_at_the_next_kill_is_no_lost_kill(self):
        every = os.environ.get("OOMBOX_KERNELS") == "all"
        for kernel in [k.name for k in debian_kernels.kernels()] if every else ["6.1"]:
            with self.subTest(kernel=kernel):
                self.check(self.play("slow-death", kernel=self.kernel(kernel)))

    def check(self, frames):
        pids = re.findall(r"Killed process (\d+)", frames["kernel-log"])
        first, second = dict.fromkeys(pids)
        # Each is the first victim of a group, which counts twice; then the first one again.
        self.assertEqual((pids.count(first), pids.count(second)), (3, 2), frames["kernel-log"])
        self.assertEqual(frames["vmstat"], "oom_kill 5")
        self.assertEqual([str(event["oom"]["victims"][0]["tgid"]) for event in kills(frames["list"])],
                         [first, second])
        report = node(frames)
        accounting = report["accounting"]
        self.assertEqual(accounting["kernel_kills"], 5)
        self.assertEqual(accounting["captured"], 2)
        self.assertEqual(accounting["double_counted"], 3)
        self.assertEqual(accounting.get("gap", 0), 0)
        self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE")
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])


if __name__ == "__main__":
    unittest.main()
