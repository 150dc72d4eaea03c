"""A disk that is full or read-only, and heals: kills wait in the ring, none is lost, and it says so."""

import json
import os
import subprocess
import unittest

from lib.bpffs import Bpffs
from lib.machine import require_real_kills, skip
from lib.programs import Agent, Collector, Scratch, eventually, memhog, oombox, wait_for_events


def setUpModule():
    require_real_kills()


class SmallDisk:
    """A tmpfs of the test's own, at `path`."""

    def __init__(self, test, scratch, size="3M"):
        self.path = scratch.file("disk")
        os.mkdir(self.path)
        done = self._mount("-t", "tmpfs", "-o", f"size={size}", "disk")
        if done.returncode != 0:
            skip(f"no tmpfs can be mounted: {done.stderr.strip()}")
        test.addCleanup(subprocess.run, ["umount", "-l", self.path], check=True)

    def _mount(self, *argv):
        return subprocess.run(["mount", *argv, self.path], capture_output=True, text=True, check=False)

    def fill(self):
        with open(os.path.join(self.path, "ballast"), "wb", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(bytes(4096))
                except OSError:
                    return

    def empty(self):
        os.remove(os.path.join(self.path, "ballast"))


def stage(agent, name):
    done = oombox("status", "-o", "json", local=agent.socket)
    report = json.loads(done.stdout)["nodes"][0]["report"]
    return next(stage for stage in report["stages"] if stage["name"] == name)


class DiskTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.disk = SmallDisk(self, self.scratch)

    def start_agent(self, *flags):
        return Agent(self, self.scratch, *flags, state_dir=os.path.join(self.disk.path, "state"),
                     pins=Bpffs(self, self.scratch).pins).wait_ready()

    def test_kills_on_a_full_disk_are_events_when_it_has_room_again(self):
        agent = self.start_agent()
        self.disk.fill()
        truth = memhog("storm", "--kills", "20", "--same-cgroup", "--limit", "8Mi")
        stalled = eventually(
            lambda: (s := stage(agent, "capture"))["state"] == "STATE_STALLED" and s,
            why="a stalled capture in the status")
        self.assertIn("full", stalled["reason"])

        self.disk.empty()

        self.assert_each_once(truth, agent.socket)
        self.assertEqual(stage(agent, "capture")["state"], "STATE_OK")
        done = oombox("list", "--kind", "gap", "-o", "jsonl", local=agent.socket)
        self.assertEqual(done.stdout, "")

    def test_an_agent_that_cannot_start_on_a_full_disk_leaves_the_kills_to_the_next(self):
        pins = Bpffs(self, self.scratch).pins
        where = {"state_dir": os.path.join(self.disk.path, "state"), "pins": pins}
        Agent(self, self.scratch, **where).wait_ready().stop()
        self.disk.fill()
        truth = memhog("storm", "--kills", "5", "--same-cgroup", "--limit", "8Mi")
        full = Agent(self, self.scratch, **where)
        eventually(lambda: "full" in full.log() or full.process.poll() is not None,
                   why="a word about the disk")
        full.kill()

        self.disk.empty()
        agent = Agent(self, self.scratch, **where).wait_ready()

        self.assert_each_once(truth, agent.socket)

    def test_a_collector_on_a_full_disk_acknowledges_nothing_and_gets_all_later(self):
        collector = Collector(self, self.scratch, state_dir=os.path.join(self.disk.path, "c"))
        collector.wait_ready()
        agent = Agent(self, self.scratch, "--collector", collector.address).wait_ready()
        self.disk.fill()
        truth = memhog("storm", "--kills", "20", "--same-cgroup", "--limit", "8Mi")
        self.assert_each_once(truth, agent.socket)
        done = oombox("list", "-o", "jsonl", "--no-group", server=collector.address)
        self.assertEqual(done.stdout, "", "a full disk stores nothing")

        self.disk.empty()

        events = wait_for_events(truth, 20, timeout=90, server=collector.address)
        self.assertEqual(len({event["event_id"] for event in events}), 20)

    def assert_each_once(self, truth, socket):
        pids = sorted(process["pid"] for process in truth["processes"])
        events = wait_for_events(truth, len(pids), local=socket)
        self.assertEqual(sorted(event["oom"]["victims"][0]["tgid"] for event in events), pids)


if __name__ == "__main__":
    unittest.main()
