"""docs/security.md: after the load the agent can do nothing that needs a capability."""

import contextlib
import os
import unittest

from lib import daemonset
from lib.machine import recording, require_programs, require_real_kills, skip
from lib.programs import Agent, Collector, Scratch, eventually, memhog, wait_for_events

CAP_SETPCAP = 8


def setUpModule():
    require_real_kills()
    require_programs("oombox-collector")


def fields_of(path):
    with open(path, encoding="utf-8", errors="replace") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines)


def thread_statuses(pid):
    """{name and tid: fields of its status} of every thread."""
    statuses = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            fields = fields_of(f"/proc/{pid}/task/{task}/status")
            statuses[f"{fields['Name']}[{task}]"] = fields
    return statuses


class PrivilegesTest(unittest.TestCase):
    NOTHING = {"CapInh": "0" * 16, "CapPrm": "0" * 16, "CapEff": "0" * 16, "CapBnd": "0" * 16,
               "CapAmb": "0" * 16, "NoNewPrivs": "1"}

    def setUp(self):
        if not int(fields_of("/proc/self/status")["CapEff"], 16) >> CAP_SETPCAP & 1:
            self.skipTest("without CAP_SETPCAP the bounding set stays as it is")
        self.scratch = Scratch(self)

    def assert_powerless(self, agent, *threads):
        def named():  # each thread gives itself its name, maybe after the agent has said that it is ready
            statuses = thread_statuses(agent.pid)
            names = {name.rsplit("[", 1)[0] for name in statuses}
            return statuses if names.issuperset(threads) else None
        statuses = eventually(named, why=f"threads named {threads}")
        for name, fields in statuses.items():
            self.assertEqual({key: fields[key] for key in self.NOTHING}, self.NOTHING, name)

    def test_no_thread_of_a_running_agent_has_a_capability_or_can_get_one(self):
        collector = Collector(self, self.scratch).wait_ready()
        agent = Agent(self, self.scratch, "--collector", collector.address, "--metrics-listen",
                      "127.0.0.1:0").wait_ready()
        # Every thread is at work: the event has gone all the way.
        wait_for_events(memhog("grow", "--limit", "8Mi"), 1, server=collector.address)

        self.assert_powerless(agent, "oom-capture", "oom-event", "oom-report")

    def test_the_agents_of_the_tests_are_in_the_daemonsets_container(self):
        if why := daemonset.obstacle():
            skip(f"agents run outside of containers: {why}")
        agent = Agent(self, self.scratch).wait_ready()

        self.assertNotEqual(os.readlink(f"/proc/{agent.pid}/ns/pid"), os.readlink("/proc/self/ns/pid"))
        with open(f"/proc/{agent.pid}/mountinfo", encoding="utf-8") as rows:
            options = {row.split()[4]: row.split()[5].split(",") for row in rows}
        for path in ("/", "/sys/fs/cgroup", "/usr"):
            self.assertIn("ro", options[path], path)
        self.assertIn("rw", options[self.scratch.path])

    def test_an_agent_that_replays_needs_no_capability_and_keeps_none(self):
        agent = Agent(self, self.scratch, "--replay", recording()).wait_ready()

        self.assert_powerless(agent, "oom-event")


if __name__ == "__main__":
    unittest.main()
