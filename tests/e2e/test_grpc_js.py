"""A third-party gRPC client (grpc-js with reflection, from npm) lists services and events."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from lib.machine import can_make_real_kills, recording, require_programs, skip
from lib.programs import ENVIRONMENT, Agent, Scratch, eventually, list_events, memhog, wait_for_events

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "grpc_js")
CACHE = os.environ.get("OOMBOX_CACHE", os.path.expanduser("~/.cache/oombox"))
INSTALL_TIMEOUT = 130
UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH",
               "ERR_SOCKET_TIMEOUT", "E403", "E407", "ENOTCACHED")


def modules():
    """The folder with the client's packages, installed once per version of the lock file."""
    with open(os.path.join(HERE, "package-lock.json"), "rb") as lock:
        digest = hashlib.sha256(lock.read()).hexdigest()[:12]
    folder = os.path.join(CACHE, f"grpc_js-whole-{digest}")
    if not os.path.exists(folder):
        os.makedirs(CACHE, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="grpc_js.parts-", dir=CACHE) as parts:
            installed = os.path.join(parts, "installed")
            os.mkdir(installed)
            install(installed)
            try:
                os.rename(installed, folder)
            except OSError:
                if not os.path.exists(folder):  # else another was first
                    raise
    return os.path.join(folder, "node_modules")


def install(folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), folder)
    try:
        npm = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=2",
                              "--fetch-timeout=40000"], cwd=folder, capture_output=True, text=True,
                             timeout=INSTALL_TIMEOUT, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        skip(f"the npm registry is not reachable within {INSTALL_TIMEOUT} s")
    if npm.returncode != 0:
        if any(code in npm.stderr for code in UNREACHABLE):
            skip(f"the npm registry is not reachable: {npm.stderr.strip().splitlines()[0]}")
        raise AssertionError(f"npm ci: exit {npm.returncode}:\n{npm.stderr}")


def setUpModule():
    require_programs("oombox-agent", "oombox")
    if not shutil.which("npm") or not shutil.which("node"):
        skip("npm and node are not installed")
    if not can_make_real_kills() and not recording():
        skip("neither real kills nor a recording to replay")
    modules()


class ThirdPartyClientTest(unittest.TestCase):
    def start(self):
        """An agent with an event in it: a real kill where possible, a recorded one elsewhere."""
        scratch = Scratch(self)
        if can_make_real_kills():
            agent = Agent(self, scratch).wait_ready()
            truth = memhog("grow", "--limit", "8Mi")
            event, = wait_for_events(truth, 1, local=agent.socket)
            return agent, event
        agent = Agent(self, scratch, "--replay", recording()).wait_ready()
        return agent, eventually(lambda: list_events(local=agent.socket), why="a replayed event")[0]

    def ask(self, agent, filter_text):
        done = subprocess.run(["node", os.path.join(HERE, "client.js"), agent.address, filter_text],
                              env={**ENVIRONMENT, "NODE_PATH": modules()}, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_reflection_is_enough_to_list_the_events(self):
        agent, event = self.start()

        answer = self.ask(agent, f'id = "{event["event_id"]}"')

        for service in ("oombox.v1.EventService", "oombox.v1.NodeService",
                        "oombox.v1.DiagnosisService", "grpc.health.v1.Health"):
            self.assertIn(service, answer["services"])
        self.assertLessEqual({"ListEvents", "GetEvent", "WatchEvents"}, set(answer["methods"]))
        listed, = answer["response"]["events"]
        self.assertEqual(listed["event_id"], event["event_id"])
        victim, expected = listed["oom"]["victims"][0], event["oom"]["victims"][0]
        self.assertEqual((victim["tgid"], victim["comm"]), (expected["tgid"], expected["comm"]))
        self.assertEqual(int(victim["memory"]["anon_bytes"]), expected["memory"]["anon_bytes"])


if __name__ == "__main__":
    unittest.main()
