"""The machine runs out of memory without any limit: a guest with 256 MiB and hogs."""

import unittest

from guest_case import GuestCase, gaps, kills, node, victims

MEMORY_MIB = 256


class GlobalOomTest(GuestCase):
    programs = ("oombox-agent", "oombox")

    def check(self, frames, dead_agents):
        """Every kill is an event, in the order of the kills; the sum of `oombox status` holds."""
        hogs = [line.split() for line in frames["hogs"].split("\n")]
        self.assertEqual([code for _, code in hogs], ["137"] * 4)
        # The agent was the first choice of the kernel, then the hog that had caused it.
        killed = dead_agents + [int(pid) for pid, _ in hogs]
        events = kills(frames["list"])
        self.assertEqual(victims(events), killed)
        self.assertEqual([event["oom"]["victims"][0]["comm"] for event in events],
                         ["oombox-agent"] * len(dead_agents) + ["tail"] * 4)
        self.assertEqual(gaps(frames["list"]), [])
        report = node(frames)
        accounting = report["accounting"]
        self.assertEqual(frames["vmstat"], f"oom_kill {len(killed)}")
        self.assertEqual(accounting["kernel_kills"], len(killed))
        self.assertEqual(accounting["captured"], len(killed))
        for name in ("dropped_ring_full", "dropped_recursion", "double_counted", "gap", "duplicates"):
            self.assertEqual(accounting.get(name, 0), 0, name)
        self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE", frames["text"])
        self.assertEqual(frames["adj"], "-1000")
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])
        return report

    def test_an_agent_that_the_kernel_kills_is_an_event_of_its_successor(self):
        frames = self.play("global-oom", memory_mib=MEMORY_MIB, adj=1000)

        self.assertEqual(frames["first-exit"], "137", frames["agent-log"])
        first, successor = (int(pid) for pid in frames["agents"].split())
        self.assertNotEqual(first, successor)
        report = self.check(frames, [first])
        self.assertTrue(report["attachment"]["adopted"])

    def test_an_agent_as_it_comes_is_never_chosen(self):
        frames = self.play("global-oom", memory_mib=MEMORY_MIB)

        self.check(frames, [])


if __name__ == "__main__":
    unittest.main()
