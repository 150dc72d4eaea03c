"""The wall clock is set by hours, between kills and during them: nothing is lost, doubled or misdated."""

import datetime
import json
import unittest

from guest_case import GuestCase, gaps, kills, node, victims

REPORT_SECONDS = 10
BATCHES = ("before", "ahead", "behind")


class ClockTest(GuestCase):
    """Five hours ahead, five behind, and to and fro by three hours during a storm."""

    def test_every_kill_is_one_event_in_the_order_of_the_kills_whatever_the_clock_says(self):
        frames = self.play("clock")

        truths = [json.loads(frames[f"truth {name}"]) for name in (*BATCHES, "storm")]
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
        self.check_collector(frames)
        self.assertEqual(frames["agent-exit"], "0", frames["agent-log"])

    def test_a_kill_before_the_clock_was_ever_set_stays_an_event_of_both(self):
        frames = self.play("clock-unset")

        killed = [process["pid"] for process in json.loads(frames["truth early"])["processes"]]
        self.assertEqual(victims(kills(frames["local"])), killed)
        self.assertEqual(victims(kills(frames["collector"])), killed)
        self.assertEqual(gaps(frames["local"]), [])
        self.assertEqual(node(frames)["accounting"]["kernel_kills"], 1)
        self.assertEqual(node(frames)["coverage"]["state"], "STATE_COMPLETE")

    def check_collector(self, frames):
        """A step makes the node's state unknown for one report at most, and never its count wrong."""
        for batch in BATCHES:
            stepped, settled = (json.loads(frames[f"{moment} {batch}"])["nodes"][0]
                                for moment in ("stepped", "settled"))
            if stepped["coverage"]["state"] != "STATE_UNKNOWN":
                self.check_fresh(stepped)
            self.check_fresh(settled)
        self.check_fresh(json.loads(frames["collector-status"])["nodes"][0])

    def check_fresh(self, status):
        self.assertEqual(status["coverage"]["state"], "STATE_COMPLETE")
        # Twice the interval: the machine may be busy.
        self.assertLess(float(status["last_report_age"].rstrip("s")), 2 * REPORT_SECONDS)

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
