"""Starting, stopping and being killed: what was captured stays, and refusals are clear."""

import json
import os
import shutil
import signal
import subprocess
import unittest

from lib.accounting import accounting_of, gaps_of, report_of, settled
from lib.bpffs import Bpffs
from lib.machine import kernel_kills, require_real_kills
from lib.programs import (ENVIRONMENT, Agent, Scratch, binary, eventually, get_event, memhog, oombox,
                          wait_for_events, wait_for_final)


def setUpModule():
    require_real_kills()


class AgentLifeTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)

    def test_an_event_survives_a_sigkill_of_the_agent_and_is_there_once(self):
        agent = Agent(self, self.scratch).wait_ready()
        truth = memhog("grow", "--limit", "8Mi")
        event, = wait_for_events(truth, 1, local=agent.socket)
        event = wait_for_final(event["event_id"], local=agent.socket)

        self.assertEqual(agent.kill(), -signal.SIGKILL)
        agent = Agent(self, self.scratch).wait_ready()

        events = wait_for_events(truth, 1, local=agent.socket)
        self.assertEqual([e["event_id"] for e in events], [event["event_id"]])
        self.assertEqual(get_event(event["event_id"], local=agent.socket)["oom"], event["oom"])

    def test_a_kill_right_before_the_agents_death_is_not_lost(self):
        agent = Agent(self, self.scratch).wait_ready()
        before = self.captured(agent)
        truth = memhog("storm", "--kills", "5", "--same-cgroup", "--limit", "8Mi")
        # In the journal, whether they are events yet or not: what is in the ring goes with the agent.
        eventually(lambda: self.captured(agent, only_from_an_empty_ring=True) >= before + 5,
                   why="five records in the journal")
        agent.kill()

        agent = Agent(self, self.scratch).wait_ready()

        self.assertEqual(len(wait_for_events(truth, 5, local=agent.socket)), 5)

    def captured(self, agent, only_from_an_empty_ring=False):
        report = report_of(agent)
        if only_from_an_empty_ring and int(report["depths"].get("ring_bytes", 0)):
            return 0
        return accounting_of(report).get("captured", 0)

    def test_kills_while_no_agent_runs_are_a_counted_gap(self):
        self.assertEqual(Agent(self, self.scratch).wait_ready().stop(), 0)
        memhog("storm", "--kills", "3", "--same-cgroup", "--limit", "8Mi")

        agent = Agent(self, self.scratch).wait_ready()

        def gaps():
            done = oombox("list", "--kind", "gap", "-o", "jsonl", local=agent.socket)
            return [json.loads(line) for line in done.stdout.splitlines()]

        gap, = eventually(gaps, why="the gap")
        self.assertEqual(gap["gap"]["cause"], "CAUSE_NOT_RUNNING")
        # Other kills of this machine count, too.
        self.assertGreaterEqual(int(gap["gap"]["count"]), 3)

    def test_a_wiped_state_folder_is_a_gap_of_what_was_captured_into_it(self):
        pins = Bpffs(self, self.scratch).pins
        agent = Agent(self, self.scratch, pins=pins).wait_ready()
        wait_for_events(memhog("storm", "--kills", "3", "--same-cgroup", "--limit", "8Mi"), 3,
                        local=agent.socket)
        captured = self.captured(agent)
        agent.stop()
        shutil.rmtree(agent.state_dir)

        agent = Agent(self, self.scratch, pins=pins).wait_ready()
        truth = memhog("grow", "--limit", "8Mi")

        wait_for_events(truth, 1, local=agent.socket)
        report = settled(agent)
        gap, = gaps_of(agent)
        self.assertEqual(gap["cause"], "CAUSE_DAMAGED_FILE")
        self.assertNotIn("count", gap, "a collector may have had some of them")
        self.assertEqual(report["coverage"]["state"], "STATE_INCOMPLETE")
        self.assertIn("damaged or are gone", report["coverage"]["reason"])
        self.assertGreater(report["coverage"]["complete_since"], report["attachment"]["attach_time"])
        lost = accounting_of(report)["lost_damaged"]
        self.assertGreaterEqual(lost, captured)  # others on this machine may be killed, too
        self.assertEqual(accounting_of(report)["captured"] - lost, accounting_of(report)["events"])

    def test_a_restart_without_a_kill_in_between_is_no_gap(self):
        agent = Agent(self, self.scratch).wait_ready()
        truth = memhog("grow", "--limit", "8Mi")
        wait_for_events(truth, 1, local=agent.socket)
        counted = kernel_kills()
        agent.stop()

        agent = Agent(self, self.scratch).wait_ready()

        wait_for_events(truth, 1, local=agent.socket)
        done = oombox("list", "--kind", "gap", "-o", "jsonl", local=agent.socket)
        if kernel_kills() == counted:  # somebody else's kill on this machine may be one, and rightly so
            self.assertEqual(done.stdout, "")

    def test_sigterm_stops_the_agent_with_0_and_removes_its_socket(self):
        agent = Agent(self, self.scratch).wait_ready()

        self.assertEqual(agent.stop(), 0, agent.log())
        self.assertFalse(os.path.exists(agent.socket))

    def test_sigint_stops_the_agent_with_0(self):
        agent = Agent(self, self.scratch).wait_ready()

        self.assertEqual(agent.interrupt(), 0, agent.log())

    def test_an_absent_collector_does_not_stop_the_agent(self):
        agent = Agent(self, self.scratch, "--collector", f"unix:{self.scratch.file('none.sock')}")
        agent.wait_ready()
        truth = memhog("grow", "--limit", "8Mi")

        self.assertEqual(len(wait_for_events(truth, 1, local=agent.socket)), 1)
        self.assertEqual(agent.stop(), 0, agent.log())


class RefusalTest(unittest.TestCase):
    """Each refusal is a documented exit code and one clear line."""

    def setUp(self):
        self.scratch = Scratch(self)

    def assert_refused(self, daemon, code, *words):
        self.assertEqual(daemon.wait_exit(), code, daemon.log())
        complaints = [line for line in daemon.lines if " error " in line or "error" in line.lower()]
        self.assertEqual(len(complaints), 1, f"one clear line, not:\n{daemon.log()}")
        for word in words:
            self.assertIn(word, complaints[0])

    def test_a_second_agent_on_the_same_state_dir_exits_with_75(self):
        Agent(self, self.scratch).wait_ready()

        second = Agent(self, self.scratch, socket=self.scratch.file("second.sock"))

        self.assert_refused(second, 75, self.scratch.file("state"))

    def test_a_second_agent_on_the_same_socket_exits_with_75(self):
        first = Agent(self, self.scratch).wait_ready()

        second = Agent(self, self.scratch, state_dir=self.scratch.file("other"))

        self.assert_refused(second, 75, first.socket)
        self.assertEqual(oombox("status", local=first.socket).returncode, 0)

    def test_the_socket_of_a_killed_agent_is_taken_over(self):
        Agent(self, self.scratch).wait_ready().kill()

        agent = Agent(self, self.scratch).wait_ready()

        self.assertEqual(oombox("version", local=agent.socket).returncode, 0)

    def test_a_state_dir_that_cannot_be_made_exits_with_73(self):
        blocker = self.scratch.file("file")
        with open(blocker, "w", encoding="utf-8"):
            pass

        agent = Agent(self, self.scratch, state_dir=blocker + "/state")

        self.assert_refused(agent, 73, blocker)

    def test_a_state_dir_on_a_read_only_file_system_exits_with_73(self):
        agent = Agent(self, self.scratch, state_dir="/proc/oombox")

        self.assert_refused(agent, 73, "/proc/oombox")

    def test_an_unknown_key_in_the_configuration_exits_with_2(self):
        config = self.scratch.file("agent.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('stat-dir = "/x"\n')

        agent = Agent(self, self.scratch, "--config", config)

        self.assertEqual(agent.wait_exit(), 2, agent.log())
        self.assertIn("stat-dir", agent.log())

    def test_a_missing_configuration_file_exits_with_2(self):
        agent = Agent(self, self.scratch, "--config", self.scratch.file("none.toml"))

        self.assertEqual(agent.wait_exit(), 2, agent.log())

    def test_a_value_out_of_range_exits_with_2(self):
        for flags in (("--ring-bytes", "12345"), ("--log-level", "loud"), ("--nonsense",)):
            agent = Agent(self, self.scratch, *flags)
            self.assertEqual(agent.wait_exit(), 2, f"{flags}: {agent.log()}")

    def test_plaintext_to_a_remote_collector_needs_a_word(self):
        agent = Agent(self, self.scratch, "--collector", "192.0.2.1:5137")

        self.assertEqual(agent.wait_exit(), 2, agent.log())
        self.assertIn("insecure", agent.log())

    def test_missing_capabilities_exit_with_69_and_are_named(self):
        setpriv = shutil.which("setpriv")
        self.assertIsNotNone(setpriv, "setpriv (util-linux) is part of every Debian")
        drop = [setpriv, "--bounding-set", "-all", "--inh-caps", "-all"]
        works = subprocess.run([*drop, "true"], capture_output=True, check=False)
        self.assertEqual(works.returncode, 0, works.stderr)

        agent = Agent(self, self.scratch, prefix=drop)

        self.assert_refused(agent, 69, "CAP_BPF", "CAP_PERFMON")


class ClientWithoutServerTest(unittest.TestCase):
    def test_local_without_an_agent_says_what_to_try(self):
        socket = Scratch(self).file("none.sock")

        done = oombox("list", local=socket)

        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn(socket, done.stderr)
        self.assertIn("oombox-agent", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_a_refused_collector_says_what_to_try(self):
        # Port 1 on the loopback: nothing listens there.
        done = oombox("list", server="127.0.0.1:1")

        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("127.0.0.1:1", done.stderr)
        self.assertIn("--local", done.stderr)

    def test_usage_errors_exit_with_2(self):
        for argv in ((), ("frobnicate",), ("list", "-o", "xml"), ("list", "--last", "-1")):
            done = subprocess.run([binary("oombox"), *argv], env=ENVIRONMENT, capture_output=True,
                                  text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 2, f"{argv}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    unittest.main()
