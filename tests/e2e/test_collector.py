"""From a real kill through agent and collector to the client."""

import subprocess
import unittest

from lib.events import parse_events
from lib.machine import require_programs, require_real_kills
from lib.programs import (ENVIRONMENT, Agent, Collector, Scratch, binary, eventually, memhog,
                          oombox, wait_for_events, wait_for_final)


def setUpModule():
    require_real_kills()
    require_programs("oombox-collector")


class CollectorTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)

    def start_agent(self, *flags):
        address = f"unix:{self.scratch.file('collector.sock')}"
        return Agent(self, self.scratch, "--collector", address, *flags).wait_ready()

    def start_collector(self):
        return Collector(self, self.scratch).wait_ready()

    def test_an_event_reaches_the_collector_as_the_agent_has_it(self):
        collector, agent = self.start_collector(), self.start_agent()
        truth = memhog("grow", "--limit", "8Mi")

        at_collector, = wait_for_events(truth, 1, server=collector.address)

        at_agent = wait_for_final(at_collector["event_id"], local=agent.socket)
        at_collector = wait_for_final(at_collector["event_id"], server=collector.address)
        self.assertEqual(at_collector["oom"], at_agent["oom"])

    def test_every_verb_works_against_the_collector(self):
        collector = self.start_collector()
        self.start_agent()
        truth = memhog("grow", "--limit", "8Mi")
        event, = wait_for_events(truth, 1, server=collector.address)
        eventually(lambda: oombox("status", server=collector.address).returncode == 0,
                   why="a complete status")

        for argv in (("list",), ("get", event["event_id"]), ("explain", event["event_id"]),
                     ("status",), ("version",)):
            done = oombox(*argv, server=collector.address)
            self.assertEqual(done.returncode, 0, f"{argv}: {done.stdout}{done.stderr}")
        self.assertIn("e2e-node", oombox("status", server=collector.address).stdout)

    def test_a_kill_before_the_collector_starts_reaches_it_later(self):
        agent = self.start_agent()
        truth = memhog("grow", "--limit", "8Mi")
        wait_for_events(truth, 1, local=agent.socket)

        collector = self.start_collector()

        events = wait_for_events(truth, 1, server=collector.address, timeout=60)
        self.assertEqual(len(events), 1)

    def test_a_list_that_calls_itself_complete_has_what_waited_on_the_node(self):
        agent = self.start_agent()
        truth = memhog("storm", "--kills", "20", "--limit", "8Mi")
        pids = {process["pid"] for process in truth["processes"]}
        wait_for_events(truth, len(pids), local=agent.socket)

        collector = self.start_collector()

        def complete():
            done = oombox("list", "--no-group", "-o", "jsonl", server=collector.address)
            return done if done.returncode == 0 else None
        done = eventually(complete, timeout=60, why="a complete list")
        listed = {event["oom"]["victims"][0]["tgid"] for event in parse_events(done.stdout) if "oom" in event}
        self.assertEqual(pids - listed, set())

    def test_kills_around_a_restart_of_the_collector_are_there_once(self):
        collector = self.start_collector()
        self.start_agent()
        before = memhog("grow", "--limit", "8Mi")
        wait_for_events(before, 1, server=collector.address)

        collector.kill()
        meanwhile = memhog("grow", "--limit", "8Mi")
        collector = self.start_collector()

        for truth in (before, meanwhile):
            events = wait_for_events(truth, 1, server=collector.address, timeout=60)
            self.assertEqual(len(events), 1)

    def test_watch_prints_a_kill_as_it_happens(self):
        collector = self.start_collector()
        agent = self.start_agent()
        watch = subprocess.Popen(
            [binary("oombox"), "--server", collector.address, "watch", "-o", "jsonl"],
            env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
        self.addCleanup(watch.stdout.close)
        self.addCleanup(watch.wait)
        self.addCleanup(watch.kill)

        # Nobody can see from outside when the watch begins, so kills are made until one is seen.
        seen, paths = None, []
        for _ in range(10):
            truth = memhog("grow", "--limit", "8Mi")
            paths.append(truth["cgroups"][0]["path"])
            wait_for_events(truth, 1, local=agent.socket)
            seen = self.read_event(watch, paths)
            if seen:
                break

        self.assertIsNotNone(seen, "watch printed none of ten kills")

    @staticmethod
    def read_event(watch, paths, timeout=3):
        import select
        while select.select([watch.stdout], [], [], timeout)[0]:
            line = watch.stdout.readline()
            if not line:
                return None
            for event in parse_events(line):
                if event.get("oom", {}).get("limit_hit", {}).get("cgroup_path") in paths:
                    return event
        return None


if __name__ == "__main__":
    unittest.main()
