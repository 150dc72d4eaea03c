"""A thousand kills in a row: each is an event, once, and the node knows that it is complete."""

import json
import unittest

from lib.machine import require_real_kills
from lib.programs import Agent, Scratch, eventually, memhog, oombox

KILLS = 1000


def setUpModule():
    require_real_kills()


class StormTest(unittest.TestCase):
    def test_every_kill_of_a_storm_is_one_event(self):
        agent = Agent(self, Scratch(self)).wait_ready()
        truth = memhog("storm", "--kills", str(KILLS), "--same-cgroup", "--limit", "8Mi", timeout=600)
        path = truth["cgroups"][0]["path"]

        def listed():
            done = oombox("list", "--no-group", "--last", str(2 * KILLS), "-o", "jsonl",
                          "--filter", f'cgroup = "{path}"', local=agent.socket)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            return len(events) >= KILLS and events

        events = eventually(listed, timeout=60, why=f"{KILLS} events")

        pids = sorted(p["pid"] for p in truth["processes"] if p["sigkilled"])
        self.assertEqual(len(pids), KILLS)
        self.assertEqual(sorted(e["oom"]["victims"][0]["tgid"] for e in events), pids)
        self.assertEqual(len({e["event_id"] for e in events}), KILLS)
        status = oombox("status", local=agent.socket)
        self.assertEqual(status.returncode, 0, status.stdout)


if __name__ == "__main__":
    unittest.main()
