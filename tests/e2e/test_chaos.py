"""From the kernel to the collector's disk with everything between them failing at random: each kill is
there once, whatever was killed, cut, delayed or truncated on the way."""

import os
import random
import socket
import time
import unittest

from lib.accounting import assert_balanced, gaps, gaps_of, settled
from lib.bpffs import Bpffs
from lib.chaos_proxy import ChaosProxy
from lib.machine import require_real_kills
from lib.programs import Agent, Collector, Scratch, wait_for_events
from lib.storm import Storm

KILLS = int(os.environ.get("OOMBOX_TEST_KILLS", "100"))
PAUSE_MS = 30


def setUpModule():
    require_real_kills()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class ChaosTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.pins = Bpffs(self, self.scratch).pins
        self.seed = int(os.environ.get("OOMBOX_TEST_SEED", random.randrange(1 << 32)))
        print(f"seed {self.seed}", flush=True)
        self.moments = random.Random(self.seed)

    def agent(self, address):
        return Agent(self, self.scratch, "--collector", address, pins=self.pins)

    def assert_each_once(self, truth, agent, collector):
        pids = sorted(process["pid"] for process in truth["processes"])
        self.assertEqual(len(pids), KILLS)
        events = wait_for_events(truth, len(pids), timeout=120, server=collector.address)
        self.assertEqual(sorted(event["oom"]["victims"][0]["tgid"] for event in events), pids)
        self.assertEqual(len({event["event_id"] for event in events}), len(pids))
        assert_balanced(self, settled(agent))
        self.assertEqual(gaps_of(agent), [])
        self.assertEqual(gaps(server=collector.address), [])

    def test_sigkills_of_the_collector_lose_nothing(self):
        collector = Collector(self, self.scratch).wait_ready()
        agent = self.agent(collector.address).wait_ready()
        storm = Storm(KILLS, PAUSE_MS)
        deaths = 0
        while storm.running:
            time.sleep(self.moments.uniform(0.05, 0.6))
            collector.kill()
            collector = Collector(self, self.scratch).wait_ready()
            deaths += 1
        truth = storm.truth()

        print(f"{KILLS} kills, {deaths} SIGKILLs of the collector", flush=True)
        self.assertGreater(deaths, 1)
        self.assert_each_once(truth, agent, collector)

    def test_sigkills_of_both_through_a_proxy_that_cuts_lose_nothing(self):
        port = free_port()

        def start_collector():
            return Collector(self, self.scratch, "--listen", f"127.0.0.1:{port}").wait_ready()

        collector = start_collector()
        proxy = ChaosProxy(self, ("127.0.0.1", port), self.seed)
        agent = self.agent(proxy.address).wait_ready()
        storm = Storm(KILLS, PAUSE_MS)
        deaths = 0
        while storm.running:
            time.sleep(self.moments.uniform(0.05, 0.5))
            if self.moments.random() < 0.5:
                agent.kill()
                agent = self.agent(proxy.address)
            else:
                collector.kill()
                collector = start_collector()
            deaths += 1
        truth = storm.truth()
        agent.wait_ready()
        proxy.calm = True

        print(f"{KILLS} kills, {deaths} SIGKILLs, {proxy.connections} connections", flush=True)
        self.assertGreater(deaths, 1)
        self.assert_each_once(truth, agent, collector)


if __name__ == "__main__":
    unittest.main()
