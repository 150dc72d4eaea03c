"""The kernel goes on recording without an agent, and the next one takes over: no kill is lost, none
is there twice, and what had to be lost is counted to the kill."""

import os
import random
import re
import subprocess
import time
import unittest

from lib.accounting import accounting_of, assert_balanced, gaps_of, report_of, settled
from lib.bpffs import Bpffs, change_value
from lib.machine import kernel_kills, require_programs, require_real_kills
from lib.metrics import scrape
from lib.programs import (ENVIRONMENT, Agent, Scratch, binary, eventually, list_events, memhog, oombox,
                          wait_for_events)
from lib.storm import Storm

KILLS_UNDER_SIGKILL = int(os.environ.get("OOMBOX_TEST_KILLS", "150"))
PAUSE_MS = 30


def setUpModule():
    require_real_kills()
    require_programs("oombox-agent-next", "oombox-agent-layout2")


def can_read_kernel_log():
    return subprocess.run(["dmesg"], capture_output=True, check=False).returncode == 0


class PinsTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.pins = Bpffs(self, self.scratch).pins

    def agent(self, *flags, **more):
        return Agent(self, self.scratch, *flags, pins=self.pins, **more)

    def assert_each_once(self, truth, agent):
        pids = sorted(process["pid"] for process in truth["processes"])
        events = wait_for_events(truth, len(pids), local=agent.socket)
        self.assertEqual(sorted(event["oom"]["victims"][0]["tgid"] for event in events), pids)

    @staticmethod
    def split(events, truth):
        """The storm's victims that were captured, and those put together from the kernel log, the oldest
        first. Not by cgroup: the log leaves it out when it has too much to say."""
        pids = [process["pid"] for process in truth["processes"]]
        victims = {True: [], False: []}
        for event in sorted(events, key=lambda event: int(event["boottime_ns"])):
            rebuilt = event["oom"]["quality"].get("provenance") == "PROVENANCE_RECONSTRUCTED"
            if (tgid := event["oom"]["victims"][0]["tgid"]) in pids:
                victims[rebuilt].append(tgid)
        return victims[False], victims[True]

    def test_kills_while_no_agent_runs_are_events_of_the_next(self):
        for stop in (Agent.stop, Agent.kill):
            with self.subTest(stop=stop.__name__):
                stop(self.agent().wait_ready())
                truth = memhog("storm", "--kills", "10", "--same-cgroup", "--limit", "8Mi")

                agent = self.agent().wait_ready()

                self.assert_each_once(truth, agent)
                report = settled(agent)
                assert_balanced(self, report)
                self.assertTrue(report["attachment"]["adopted"])
                self.assertEqual(report["coverage"]["state"], "STATE_COMPLETE")
                self.assertEqual(gaps_of(agent), [])
                agent.stop()

    def test_sigkills_at_random_moments_lose_nothing_and_double_nothing(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        moments = random.Random(seed)
        self.agent().wait_ready().kill()
        storm = Storm(KILLS_UNDER_SIGKILL, PAUSE_MS)
        rounds = 0
        while storm.running:
            agent = self.agent()
            time.sleep(moments.uniform(0.01, 0.5))
            agent.kill()
            rounds += 1
        truth = storm.truth()

        agent = self.agent().wait_ready()

        print(f"{len(truth['processes'])} kills, {rounds} SIGKILLs", flush=True)
        self.assertGreater(rounds, 3)
        self.assert_each_once(truth, agent)
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])

    def test_a_full_ring_without_a_reader_counts_its_drops_to_the_kill(self):
        kills = 100  # bare: a container cannot open the kernel log, which has those that are dropped
        self.agent("--ring-bytes", str(64 << 10), bare=True).wait_ready().stop()
        truth = memhog("storm", "--kills", str(kills), "--same-cgroup", "--limit", "8Mi")

        agent = self.agent("--ring-bytes", str(64 << 10), bare=True).wait_ready()

        report = settled(agent)
        accounting = report["accounting"]
        drops = int(accounting["dropped_ring_full"])
        self.assertGreater(drops, 0)
        self.assertEqual(int(accounting["captured"]) + drops, int(accounting["kernel_kills"]))
        assert_balanced(self, report, drops)
        self.assertEqual(report["coverage"]["state"], "STATE_INCOMPLETE")
        gap, = eventually(lambda: gaps_of(agent), why="the gap")
        self.assertEqual((gap["cause"], int(gap["count"])), ("CAUSE_RING_FULL", drops))
        captured, rebuilt = self.split(list_events(local=agent.socket), truth)
        pids = [process["pid"] for process in truth["processes"]]
        # The oldest are kept; of the others the kernel log may still know.
        self.assertEqual(captured, pids[:len(captured)])
        if int(accounting["kernel_kills"]) == kills:  # nobody else's in between
            self.assertEqual(drops, kills - len(captured))
        self.assertLessEqual(set(rebuilt), set(pids[len(captured):]))
        self.assertEqual(len(rebuilt), len(set(rebuilt)))
        if can_read_kernel_log():
            self.assertEqual(len(captured) + len(rebuilt), kills, "the log holds the last of them")

        agent.kill()
        agent = self.agent("--ring-bytes", str(64 << 10), bare=True).wait_ready()
        settled(agent)
        self.assertEqual(len(gaps_of(agent)), 1, "a gap is told once")

    def test_an_upgrade_under_load_has_no_gap_and_no_duplicate(self):
        self.agent().wait_ready().kill()
        storm = Storm(KILLS_UNDER_SIGKILL, PAUSE_MS)
        swaps = 0
        while storm.running:
            program = ("oombox-agent-next", "oombox-agent")[swaps % 2]
            agent = self.agent(program=program).wait_ready()
            self.assertIn("replaced=true", agent.log())
            agent.stop()
            swaps += 1
        truth = storm.truth()

        agent = self.agent().wait_ready()

        print(f"{len(truth['processes'])} kills, {swaps} upgrades", flush=True)
        self.assertGreater(swaps, 1)
        self.assert_each_once(truth, agent)
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])

    def test_a_sigkill_in_the_middle_of_an_upgrade_loses_nothing(self):
        moments = random.Random(4)
        self.agent().wait_ready().kill()
        storm = Storm(KILLS_UNDER_SIGKILL, PAUSE_MS)
        turn = 0
        while storm.running:
            agent = self.agent(program=("oombox-agent-next", "oombox-agent")[turn % 2])
            time.sleep(moments.uniform(0.02, 0.3))
            agent.kill()
            turn += 1
        truth = storm.truth()

        agent = self.agent().wait_ready()

        self.assert_each_once(truth, agent)
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])

    def test_the_ring_of_another_layout_is_read_to_its_end_and_removed(self):
        self.agent(program="oombox-agent-layout2").wait_ready().kill()
        truth = memhog("storm", "--kills", "12", "--same-cgroup", "--limit", "8Mi")
        before = kernel_kills()

        agent = self.agent().wait_ready()

        line = agent.wait_for_line("left by an agent of layout 99")
        # Beside each kill its command line, and what others killed on this machine.
        self.assertGreaterEqual(int(re.search(r"records=(\d+)", line)[1]), 12)
        if kernel_kills() == before:  # nobody's while both layouts were attached
            self.assertIn("duplicates=0", line)
        self.assert_each_once(truth, agent)
        self.assertEqual(gaps_of(agent), [], "they were captured: no gap")
        self.assertEqual(sorted(os.listdir(self.pins)), ["abi2"])
        report = settled(agent)
        assert_balanced(self, report)
        accounting = accounting_of(report)
        self.assertLessEqual(accounting.get("events", 0), accounting.get("captured", 0))

    def test_what_pins_that_lack_a_map_have_recorded_is_read(self):
        self.agent().wait_ready().kill()
        truth = memhog("storm", "--kills", "5", "--same-cgroup", "--limit", "8Mi")
        os.unlink(os.path.join(self.pins, "abi2", "started_as"))

        agent = self.agent().wait_ready()

        self.assertIn("lack a map", agent.log())
        self.assert_each_once(truth, agent)
        report = settled(agent)
        self.assertFalse(report["attachment"].get("adopted", False))
        assert_balanced(self, report)
        self.assertIn("started_as", os.listdir(os.path.join(self.pins, "abi2")))
        agent.kill()
        self.assertIn("adopted=true", self.agent().wait_ready().log())

    def test_an_upgrade_to_another_layout_under_load_has_each_kill_once(self):
        self.agent(program="oombox-agent-layout2").wait_ready().kill()
        storm = Storm(KILLS_UNDER_SIGKILL, PAUSE_MS)
        swaps = 0
        while storm.running:
            program = ("oombox-agent", "oombox-agent-layout2")[swaps % 2]
            self.agent(program=program).wait_ready().stop()
            swaps += 1
        truth = storm.truth()

        agent = self.agent().wait_ready()

        self.assertGreater(swaps, 1)
        self.assert_each_once(truth, agent)
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])

    def test_an_attachment_that_nobody_began_begins_anew(self):
        self.agent().wait_ready().kill()
        truth = memhog("storm", "--kills", "5", "--same-cgroup", "--limit", "8Mi")
        # As an agent leaves it that was killed before it could note since when it records:
        # oombox_attachment.attach_boottime_ns.
        change_value(os.path.join(self.pins, "abi2", "attachment"), 16, bytes(8))

        agent = self.agent().wait_ready()

        self.assertIn("adopted=false", agent.log())
        self.assert_each_once(truth, agent)
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])

    def test_sigkills_while_the_layout_changes_lose_nothing_and_double_nothing(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        moments = random.Random(seed)
        self.agent(program="oombox-agent-layout2").wait_ready().kill()
        storm = Storm(KILLS_UNDER_SIGKILL, PAUSE_MS)
        swaps = 0
        rounds = 0
        while storm.running:
            program = ("oombox-agent", "oombox-agent-layout2")[swaps % 2]
            for _ in range(3):
                agent = self.agent(program=program)
                time.sleep(moments.uniform(0.01, 0.6))
                agent.kill()
                rounds += 1
            self.agent(program=program).wait_ready().stop()
            swaps += 1
        truth = storm.truth()

        agent = self.agent().wait_ready()

        print(f"{len(truth['processes'])} kills, {rounds} SIGKILLs, {swaps} changes", flush=True)
        self.assertGreater(swaps, 1)
        self.assert_each_once(truth, agent)
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])
        self.assertEqual(sorted(os.listdir(self.pins)), ["abi2"])

    def test_a_second_agent_on_the_node_is_refused(self):
        self.agent().wait_ready()

        second = self.agent(socket=self.scratch.file("second.sock"),
                            state_dir=self.scratch.file("second"))

        self.assertEqual(second.wait_exit(), 75, second.log())
        self.assertIn("another oombox-agent", second.log())

    def test_uninstall_removes_every_pin_but_not_under_a_running_agent(self):
        agent = self.agent().wait_ready()
        argv = [binary("oombox-agent"), "--pin-dir", self.pins, "--uninstall"]

        refused = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 75, refused.stderr)
        agent.stop()
        self.assertTrue(os.listdir(self.pins))
        done = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(self.pins))
        again = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        self.assertEqual(again.returncode, 0, again.stderr)

    def test_without_a_bpffs_the_agent_runs_unpinned_and_says_so(self):
        agent = Agent(self, self.scratch, pins=self.scratch.file("no-bpffs")).wait_ready()

        unavailable = report_of(agent)["coverage"]["unavailable"]

        reason, = (entry["reason"] for entry in unavailable if entry["field"] == "pinning")
        self.assertIn("mount", reason)
        self.assertFalse(os.path.exists(self.scratch.file("no-bpffs")))


class RankingBrakeTest(unittest.TestCase):
    def test_without_budget_a_kill_is_an_event_without_ranking_that_says_why(self):
        agent = Agent(self, Scratch(self), "--rank-budget-us", "0").wait_ready()

        event, = wait_for_events(memhog("grow", "--limit", "8Mi"), 1, local=agent.socket)

        self.assertEqual(event["oom"].get("top_users", []), [])
        reason, = (missing["reason"] for missing in event["oom"]["quality"]["missing"]
                   if missing["field"] == "top_users")
        self.assertIn("budget", reason)
        self.assertGreaterEqual(int(report_of(agent)["accounting"]["rankings_skipped"]), 1)

    def test_above_the_budget_kills_are_events_without_ranking_until_the_second_is_over(self):
        before = kernel_kills()
        agent = Agent(self, Scratch(self), "--rank-budget-us", "1", "--metrics-listen",
                      "127.0.0.1:0").wait_ready()

        truth = memhog("storm", "--kills", "20", "--same-cgroup", "--limit", "8Mi")
        events = wait_for_events(truth, 20, local=agent.socket)

        self.assertEqual(sorted(event["oom"]["victims"][0]["tgid"] for event in events),
                         sorted(process["pid"] for process in truth["processes"]))
        why = [[missing["reason"] for missing in event["oom"]["quality"]["missing"]
                if missing["field"] == "top_users"] for event in events]
        for event, reasons in zip(events, why):
            # Ranked, or it says why not.
            self.assertEqual(bool(event["oom"].get("top_users")), not reasons, event)
            self.assertEqual(bool(event["oom"].get("ranking")), not reasons, event)
        skipped = sum(1 for reasons in why if reasons)
        self.assertGreaterEqual(skipped, 1)
        self.assertIn("rank-budget-us", next(reasons[0] for reasons in why if reasons))
        told = self.told(agent)
        # Other kills of this machine take from the budget, too.
        others = kernel_kills() - before - 20
        if others == 0:
            self.assertEqual(why[0], [], "the first kill finds the budget untouched")
            self.assertEqual(told, skipped)
        self.assertTrue(skipped <= told <= skipped + others, (skipped, told, others))

    def told(self, agent):
        """The kills without a ranking, by report, status and metrics; each later, with other kills of
        this machine. The node is complete all the same."""
        reported = int(report_of(agent)["accounting"]["rankings_skipped"])
        status = oombox("status", "--verbose", local=agent.socket)
        self.assertEqual(status.returncode, 0, status.stdout)
        shown = int(re.search(r"top_users: (\d+) kills without a ranking", status.stdout)[1])
        counted = scrape(agent)["oombox_rankings_skipped_total"]
        self.assertEqual(sorted([reported, shown, counted]), [reported, shown, counted])
        return counted


if __name__ == "__main__":
    unittest.main()
