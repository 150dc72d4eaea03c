"""A disk that is full or read-only, and heals: kills wait in the ring, none is lost, and it says so."""

import os
import shutil
import subprocess
import unittest

from lib.accounting import accounting_of, assert_balanced, gaps_of, report_of, settled
from lib.bpffs import Bpffs
from lib.machine import kernel_kills, require_real_kills, skip
from lib.programs import (ENVIRONMENT, Agent, Collector, Scratch, binary, eventually, list_events, memhog,
                          oombox, wait_for_events)


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


class FailingDisk:
    """An ext4 of the test's own, at `path`, that can turn read-only under open files: as on a real node, by
    an error of the file system. A plain remount is refused while something is open for writing."""

    def __init__(self, test, scratch):
        self.path = scratch.file("ext4")
        self._image = scratch.file("ext4.image")
        os.mkdir(self.path)
        with open(self._image, "wb") as image:
            image.truncate(32 << 20)
        if not shutil.which("mkfs.ext4"):
            test.skipTest("mkfs.ext4 is not installed")
        for argv in (["mkfs.ext4", "-q", self._image], self._mount_argv()):
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                test.skipTest(f"no ext4 can be mounted: {done.stderr.strip()}")
        test.addCleanup(subprocess.run, ["umount", "-l", self.path], check=True)

    def _mount_argv(self):
        return ["mount", "-t", "ext4", "-o", "loop,errors=remount-ro", self._image, self.path]

    def fail(self):
        # abort: "Simulate the effects of calling ext4_abort()" (Documentation/admin-guide/ext4.rst)
        subprocess.run(["mount", "-o", "remount,abort", self.path], check=True)

    def freeze(self, test):
        """Writes wait, as for a disk that does not answer, until `thaw` or the end of the test. Call it when
        whoever writes has been started: its end would wait, too."""
        subprocess.run(["fsfreeze", "--freeze", self.path], check=True)
        test.addCleanup(self.thaw)

    def thaw(self):
        subprocess.run(["fsfreeze", "--unfreeze", self.path], check=False, capture_output=True)

    def repair(self):
        """Nothing may be open on it."""
        subprocess.run(["umount", self.path], check=True)
        checked = subprocess.run(["e2fsck", "-fy", self._image], capture_output=True, text=True, check=False)
        assert checked.returncode in (0, 1), checked.stdout
        subprocess.run(self._mount_argv(), check=True)


def stage(agent, name):
    return next(stage for stage in report_of(agent)["stages"] if stage["name"] == name)


def coverage(agent):
    return report_of(agent)["coverage"]


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

    def test_kills_on_a_disk_that_turned_read_only_are_events_when_it_is_repaired(self):
        disk = FailingDisk(self, self.scratch)
        where = {"state_dir": os.path.join(disk.path, "state"),
                 "pins": Bpffs(self, self.scratch).pins}
        agent = Agent(self, self.scratch, **where).wait_ready()
        before = memhog("grow", "--limit", "8Mi")
        wait_for_events(before, 1, local=agent.socket)
        disk.fail()
        truth = memhog("storm", "--kills", "20", "--same-cgroup", "--limit", "8Mi")
        stalled = eventually(
            lambda: (s := stage(agent, "capture"))["state"] == "STATE_STALLED" and s,
            why="a stalled capture in the status")
        self.assertIn("disk I/O error", stalled["reason"])
        self.assertEqual(len(wait_for_events(before, 1, local=agent.socket)), 1, "it answers all the same")
        self.assertEqual(agent.stop(), 0, agent.log())

        disk.repair()
        agent = Agent(self, self.scratch, **where).wait_ready()

        self.assert_each_once(before, agent.socket)
        self.assert_each_once(truth, agent.socket)
        self.assertEqual(stage(agent, "capture")["state"], "STATE_OK")
        self.assertEqual(gaps_of(agent), [])

    def test_kills_on_a_disk_that_hangs_are_events_when_it_answers_again(self):
        disk = FailingDisk(self, self.scratch)
        agent = Agent(self, self.scratch, state_dir=os.path.join(disk.path, "state"),
                      pins=Bpffs(self, self.scratch).pins).wait_ready()
        disk.freeze(self)
        truth = memhog("storm", "--kills", "20", "--same-cgroup", "--limit", "8Mi")
        stalled = eventually(
            lambda: (s := stage(agent, "capture"))["state"] == "STATE_STALLED" and s, timeout=40,
            why="a stalled capture in the status")
        self.assertIn("has not come back", stalled["reason"])
        self.assertEqual(coverage(agent)["state"], "STATE_INCOMPLETE")

        disk.thaw()

        self.assert_each_once(truth, agent.socket)
        eventually(lambda: stage(agent, "capture")["state"] == "STATE_OK", why="a capture that goes on")
        eventually(lambda: coverage(agent)["state"] == "STATE_COMPLETE", why="a whole report")
        self.assertEqual(gaps_of(agent), [])

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

    def test_files_damaged_in_use_are_moved_aside_and_no_waiting_kill_is_lost(self):
        for name in ("journal.db", "events.db"):
            with self.subTest(file=name):
                scratch = Scratch(self)
                pins = Bpffs(self, scratch).pins
                agent = Agent(self, scratch, pins=pins).wait_ready()
                wait_for_events(memhog("grow", "--limit", "8Mi"), 1, local=agent.socket)
                agent.stop()  # what it wrote is in the file now, not in its log
                before = kernel_kills()
                agent = Agent(self, scratch, pins=pins).wait_ready()
                self.damage(os.path.join(agent.state_dir, name))
                truth = memhog("storm", "--kills", "5", "--same-cgroup", "--limit", "8Mi")
                oombox("list", local=agent.socket)
                if agent.wait_exit() != 74:
                    self.fail(agent.log())

                agent = Agent(self, scratch, pins=pins).wait_ready()

                gap, = eventually(lambda agent=agent: [
                    gap for gap in gaps_of(agent) if gap["cause"] == "CAUSE_DAMAGED_FILE"],
                    why="the gap of the file that was moved aside")
                if name == "events.db":
                    self.assert_each_once(truth, agent.socket)  # derived again from the journal
                else:
                    settled(agent)  # what was left in the ring is there, too
                    others = kernel_kills() - before - 5  # of this machine: they may be lost, too
                    self.assert_captured_or_counted(truth, int(gap.get("count", 0)), others, agent)
                agent.stop()

    def test_a_lost_store_is_derived_again_and_counts_no_kill_of_before(self):
        scratch = Scratch(self)
        pins = Bpffs(self, scratch).pins
        agent = Agent(self, scratch, pins=pins).wait_ready()
        earlier = memhog("storm", "--kills", "5", "--same-cgroup", "--limit", "8Mi")
        wait_for_events(earlier, 5, local=agent.socket)
        agent.stop()
        subprocess.run([binary("oombox-agent"), "--pin-dir", pins, "--uninstall"], env=ENVIRONMENT,
                       check=True, capture_output=True)
        agent = Agent(self, scratch, pins=pins).wait_ready()
        truth = memhog("storm", "--kills", "3", "--same-cgroup", "--limit", "8Mi")
        wait_for_events(truth, 3, local=agent.socket)
        agent.stop()
        for name in os.listdir(agent.state_dir):
            if name.startswith("events.db"):
                os.remove(os.path.join(agent.state_dir, name))

        agent = Agent(self, scratch, pins=pins).wait_ready()

        self.assert_each_once(earlier, agent.socket)
        self.assert_each_once(truth, agent.socket)
        report = settled(agent)
        assert_balanced(self, report)
        accounting = accounting_of(report)
        self.assertGreaterEqual(accounting["events"], 3)
        self.assertLessEqual(accounting["events"], accounting["captured"])
        self.assertEqual(accounting.get("lost_damaged", 0), 0)
        self.assertNotIn("CAUSE_DAMAGED_FILE", [gap["cause"] for gap in gaps_of(agent)])

    def assert_captured_or_counted(self, truth, lost, others, agent):
        pids = {process["pid"] for process in truth["processes"]}
        captured = {event["oom"]["victims"][0]["tgid"] for event in list_events(local=agent.socket)
                    if event["oom"]["quality"].get("provenance") != "PROVENANCE_RECONSTRUCTED"}
        self.assertGreaterEqual(len(pids & captured) + lost, len(pids), "each an event or counted")
        if others == 0:
            self.assertEqual(len(pids & captured) + lost, len(pids))

    def damage(self, path):
        """Overwrites every page but the first, as a failing disk would."""
        with open(path, "r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(4096)
            file.write(b"\xa5" * (size - 4096))

    def assert_each_once(self, truth, socket):
        pids = sorted(process["pid"] for process in truth["processes"])
        events = wait_for_events(truth, len(pids), local=socket)
        self.assertEqual(sorted(event["oom"]["victims"][0]["tgid"] for event in events), pids)


if __name__ == "__main__":
    unittest.main()
