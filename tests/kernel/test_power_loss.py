"""Power loss: a guest on a disk of its own is killed in a storm of kills, again and again.

What a client of the agent has seen is in the agent's store after it, what the collector has told is in
the collector's. OOMBOX_ROUNDS says how often the power goes, OOMBOX_SEED when.
"""

import os
import random
import time
import unittest

import guest
from guest_case import GuestCase, NEEDS, gaps, kills, node

ROUNDS = int(os.environ.get("OOMBOX_ROUNDS", "3"))
SEED = int(os.environ.get("OOMBOX_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
START_FRAMES = ("collector-before", "agent-before", "collector-after", "status", "aside")
PATIENCE = 240


def ids(text):
    found = [event["event_id"] for event in kills(text)]
    if len(set(found)) != len(found):
        raise AssertionError("an id is listed twice")
    return set(found)


class PowerLossTest(GuestCase):
    needs = (*NEEDS, "mkfs.ext4")

    def setUp(self):
        self.random = random.Random(SEED)
        self.seen = {"agent": set(), "collector": set()}
        self.disk = guest.make_disk(os.path.join(self.folder, "disk.img"), 256)

    def test_what_was_told_is_there_after_the_power_came_back(self):
        print(f"OOMBOX_SEED={SEED} OOMBOX_ROUNDS={ROUNDS}", flush=True)
        for number in range(ROUNDS):
            # Every other time the collector stops early: its events have to wait for the next boot.
            unsent = number % 2 == 1
            running = self.start("power-loss", disk=self.disk, unseen=3 if unsent else "")
            self.check(self.await_start(running), number, after_unsent=number > 0 and not unsent)
            self.cut(running, "STOPPED collector" if unsent else None)
        last = self.play("power-loss", disk=self.disk, last=1)
        self.check(last, ROUNDS, after_unsent=ROUNDS % 2 == 0)
        self.assertEqual(last["agent-exit"], "0", last["agent-log"])

    def until(self, running, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not (found := condition(running.lines())):
            if not running.running() or time.monotonic() > deadline:
                self.fail(f"{what} never came; the console ends:\n{running.console_end()}")
            time.sleep(0.02)  # a file of another process: nothing tells when it grows
        return found

    def await_start(self, running):
        def frames(lines):
            found = guest.parse_frames("\n".join(lines))
            return found if all(name in found for name in START_FRAMES) else None
        return self.until(running, frames, "the report of the stores")

    def cut(self, running, after):
        """Ends the guest at a random moment of its storm, and notes what it had told by then."""
        kills_more, delay = self.random.randint(5, 30), self.random.uniform(0, 0.3)

        def ripe(lines):
            if after:
                lines = lines[lines.index(after):] if after in lines else []
            return sum(line.startswith("SEEN agent ") for line in lines) >= kills_more
        self.until(running, ripe, f"{kills_more} kills")
        time.sleep(delay)  # any moment will do
        running.kill()
        for line in running.lines():
            words = line.split()
            if words[:1] == ["SEEN"] and len(words) == 3 and len(words[2]) == 16:
                self.seen[words[1]].add(words[2])

    def check(self, frames, cuts, after_unsent):
        agent, collector = ids(frames["agent-before"]), ids(frames["collector-before"])
        after = ids(frames["collector-after"])
        print(f"seen: agent {len(self.seen['agent'])}, collector {len(self.seen['collector'])}; "
              f"stored: agent {len(agent)}, collector {len(collector)}, then {len(after)}", flush=True)
        self.assertEqual(self.seen["agent"] - agent, set(), "the agent lost what it had told")
        self.assertEqual(self.seen["collector"] - collector, set(), "the collector lost events")
        if after_unsent:
            self.assertTrue(agent - collector, "nothing was left to be sent")
        self.assertEqual(after, agent | collector, "not everything unsent has arrived")
        self.assertEqual(agent | collector, agent)
        # Of each life that ended this way: kills of its last moments were nobody's to see.
        unwatched = [(event["gap"]["cause"], event["gap"].get("count"))
                     for event in gaps(frames["agent-before"])]
        self.assertEqual(set(unwatched) - {("CAUSE_NOT_RUNNING", None)}, set())
        self.assertLessEqual(len(unwatched), cuts)
        self.assertEqual(frames["aside"], "", "a store was damaged")
        self.assertEqual(node(frames)["coverage"]["state"], "STATE_COMPLETE")
        self.assertEqual(node(frames)["accounting"].get("kernel_kills", 0), 0)


if __name__ == "__main__":
    unittest.main()
