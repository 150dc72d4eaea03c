"""The metrics ports of agent and collector around a real kill."""

import os
import re
import socket
import unittest
import urllib.error
import urllib.request

from lib.machine import require_programs, require_real_kills
from lib.metrics import scrape, scrape_text, url_of
from lib.programs import (Agent, Collector, Scratch, eventually, memhog, oombox, wait_for_events)
from lib.promtool import Unavailable, check_metrics, promtool

METRICS = ("--metrics-listen", "127.0.0.1:0")
IN_USE, USAGE = 75, 2


def setUpModule():
    require_real_kills()
    require_programs("oombox-collector")


def listening_ports(daemon):
    """TCP ports on which the process listens."""
    inodes = set()
    folder = f"/proc/{daemon.pid}/fd"
    for name in os.listdir(folder):
        try:
            target = os.readlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue  # closed since it was listed: no socket that listens is
        if match := re.match(r"socket:\[(\d+)\]", target):
            inodes.add(match[1])
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as lines:
            for row in [line.split() for line in lines][1:]:
                if row[3] == "0A" and row[9] in inodes:
                    ports.add(int(row[1].rsplit(":", 1)[1], 16))
    return ports


def unexplained(found):
    """Kernel kills that no term of the identity explains."""
    dropped = sum(value for name, value in found.items()
                  if name.startswith("oombox_kills_dropped_total"))
    return (found["oombox_kills_kernel_total"] - found["oombox_kills_captured_total"] - dropped
            - found["oombox_kills_double_counted_total"] - found["oombox_kills_gap_total"])


class MetricsTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)

    def start(self):
        collector = Collector(self, self.scratch, *METRICS).wait_ready()
        agent = Agent(self, self.scratch, "--collector", collector.address, *METRICS).wait_ready()
        return collector, agent

    def test_a_kill_is_counted_on_the_node_and_in_the_cluster(self):
        collector, agent = self.start()
        before = scrape(agent)
        truth = memhog("grow", "--limit", "8Mi")
        wait_for_events(truth, 1, server=collector.address)

        # Other kills of this machine count as well.
        after = scrape(agent)
        for name in ("oombox_kills_kernel_total", "oombox_kills_captured_total",
                     "oombox_events_total"):
            self.assertGreaterEqual(after[name], before[name] + 1, name)
        eventually(lambda: unexplained(scrape(agent)) == 0, why="an identity that adds up")
        # Counted a moment after the commit that a list has seen.
        at_collector = eventually(
            lambda: (found := scrape(collector)).get("oombox_collector_stored_events_total") and found,
            why="a stored event that is counted")
        self.assertGreaterEqual(at_collector["oombox_collector_stored_events_total"], 1)
        self.assertEqual(at_collector["oombox_collector_connected_agents"], 1)
        self.assertGreaterEqual(at_collector["oombox_collector_commit_seconds_count"], 1)
        eventually(lambda: scrape(collector).get("oombox_fleet_kills_captured", 0) >= 1,
                   why="the kill in the cluster's sum")

    def test_queries_are_counted_by_method_and_status(self):
        collector, _ = self.start()
        oombox("list", server=collector.address)
        oombox("get", "zzzzzzzz", server=collector.address)

        found = scrape(collector)

        name = 'oombox_collector_queries_total{method="EventService/%s",code="%s"}'
        self.assertGreaterEqual(found[name % ("ListEvents", "OK")], 1)
        self.assertEqual(found[name % ("GetEvent", "NOT_FOUND")], 1)

    def test_promtool_has_nothing_to_say(self):
        try:
            promtool()
        except Unavailable as reason:
            self.skipTest(f"no promtool: {reason}")
        collector, agent = self.start()
        wait_for_events(memhog("grow", "--limit", "8Mi"), 1, server=collector.address)

        for daemon in (agent, collector):
            self.assertEqual(check_metrics(scrape_text(daemon)), "", daemon.argv[0])

    def test_without_the_setting_no_port_is_open(self):
        collector = Collector(self, self.scratch).wait_ready()
        agent = Agent(self, self.scratch).wait_ready()

        self.assertEqual(listening_ports(collector), set())
        self.assertEqual(listening_ports(agent), set())

    def test_nothing_but_metrics_is_served(self):
        _, agent = self.start()
        self.assertEqual(len(listening_ports(agent)), 1)

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            opener.open(url_of(agent).removesuffix("metrics"), timeout=10)
        refused.exception.close()
        self.assertEqual(refused.exception.code, 404)

    def test_a_taken_port_ends_both_with_a_remedy(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            flags = ("--metrics-listen", f"127.0.0.1:{taken.getsockname()[1]}")
            for daemon in (Agent(self, self.scratch, *flags),
                           Collector(self, self.scratch, *flags)):
                self.assertEqual(daemon.wait_exit(), IN_USE, daemon.log())
                self.assertIn("give metrics-listen another port", daemon.log())

    def test_what_is_no_address_is_a_usage_error(self):
        for daemon in (Agent(self, self.scratch, "--metrics-listen", "9464"),
                       Collector(self, self.scratch, "--metrics-listen", "9464")):
            self.assertEqual(daemon.wait_exit(), USAGE, daemon.log())
            self.assertIn("127.0.0.1:9464", daemon.log())


if __name__ == "__main__":
    unittest.main()
