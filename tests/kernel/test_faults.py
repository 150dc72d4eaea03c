"""A group kill of a thousand processes, and a clock that is set: what was said beforehand is what came."""

import datetime
import json
import unittest

from guest_case import GuestCase, gaps, kills, node, victims
from lib.events import parse_events

PROCESSES = 1002
MAX_EVENT_BYTES = 256 << 10


class GroupKillTest(GuestCase):
    programs = ("oombox-agent", "oombox", "memhog")

    def test_a_group_kill_of_1002_processes_is_one_event_that_counts_them_all(self):
        frames = self.play("group")

        self.assertEqual(frames["list"].count("\n"), 0, "one kill, one event, no gap")
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


class ClockTest(GuestCase):
    """Five hours ahead, five behind, and to and fro by three hours during a storm."""

    def test_every_kill_is_one_event_in_the_order_of_the_kills_whatever_the_clock_says(self):
        frames = self.play("clock")

        truths = [json.loads(frames[f"truth {name}"]) for name in ("before", "ahead", "behind", "storm")]
        killed = [process["pid"] for truth in truths for process in truth["processes"]]
        self.assertEqual(len(killed), 26)
        for store in ("local", "collector"):
            events = kills(frames[store])
            self.assertEqual(victims(events), killed, store)
            self.assertEqual(len({event["event_id"] for event in events}), 26)
            self.assertEqual(gaps(frames[store]), [])
            self.check_times(events, truths[:3])
        accounting = node(frames)["accounting"]
        self.assertEqual(accounting["kernel_kills"], 26)
        self.assertEqual(accounting["captured"], 26)
        self.assertEqual(accounting["events"], 26)
        self.assertEqual(accounting.get("gap", 0), 0)
        self.assertEqual(node(frames)["coverage"]["state"], "STATE_COMPLETE")
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])

    def check_times(self, events, truths):
        """Without a step between kill and event, the event's time is what the clock said then."""
        for event in events:
            truth = next((truth for truth in truths
                          if event["oom"]["victims"][0]["tgid"] in
                          [process["pid"] for process in truth["processes"]]), None)
            if truth:
                time = nanoseconds(event["event_time"])
                self.assertLessEqual(truth["start"]["wall_ns"], time)
                self.assertLessEqual(time, truth["end"]["wall_ns"])


def nanoseconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))


if __name__ == "__main__":
    unittest.main()
