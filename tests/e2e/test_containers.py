"""Real kills in real containers of a real containerd: who they were, in Kubernetes' words, and what the
runtime made of them."""

import concurrent.futures
import json
import os
import signal
import time
import unittest

from lib.containerd import Containerd, require_containers
from lib.events import parse_events
from lib.images import HOG
from lib.machine import require_real_kills
from lib.metrics import scrape
from lib.pauses import ATTEMPTS, HELD_UP, Pauses
from lib.pods import MIB, grow_when_told
from lib.programs import Agent, Scratch, eventually, get_event, list_events, oombox

GROW = ["tail", "/dev/zero"]
SLEEP = ["sleep", "100000"]
# The agent asks for a minute what became of a container that runs on.
FATE_TIMEOUT = 90
CONFIRMED = "KUBERNETES_VERDICT_CONFIRMED"
MISSED = "KUBERNETES_VERDICT_KUBERNETES_MISSED"
FALSE_POSITIVE = "KUBERNETES_VERDICT_KUBERNETES_FALSE_POSITIVE"
NOT_OOM = "KUBERNETES_VERDICT_SIGKILL_NOT_OOM"


def setUpModule():
    require_real_kills()
    require_containers()


class ContainersTest(unittest.TestCase):
    """A containerd, and an agent that asks it."""

    def setUp(self):
        self.containerd = Containerd(self)
        self.agent = None

    def watch(self, *flags):
        self.agent = Agent(self, Scratch(self),
                           *(flags or ("--cri-socket", self.containerd.socket))).wait_ready()

    def run_pod(self, name="ocr-7c9d6b5f4-x2kqp", namespace="shop", **more):
        return self.containerd.run_pod(name, namespace=namespace, **more)

    def listed(self, container):
        return list_events("--filter", f'cgroup = "{container.cgroup}"', local=self.agent.socket)

    def first_event_of(self, container, timeout=30):
        """As it is when it is first listed."""
        event, = eventually(lambda: self.listed(container), timeout, f"an event of {container.name}")
        return get_event(event["event_id"], local=self.agent.socket)

    def event_of(self, container, complete=lambda event: event.get("final"), timeout=FATE_TIMEOUT):
        """When nothing more is to come."""
        reference = self.first_event_of(container)["event_id"]

        def whole():
            event = get_event(reference, local=self.agent.socket)
            return event if complete(event) else None
        try:
            return eventually(whole, timeout)
        except AssertionError:
            event = get_event(reference, local=self.agent.socket)
            self.fail(f"event of {container.name} is not complete after {timeout} s: {event}")

    def no_kill_of(self, container):
        """The SIGKILL to its first process, when the runtime has told what became of it."""
        def told():
            answer = oombox("list", "--kind", "no_kill", "-o", "jsonl", local=self.agent.socket)
            events = [event for event in parse_events(answer.stdout) if "no_kill" in event]
            return [event for event in events if event.get("final")
                    and event["no_kill"].get("container", {}).get("container_id") == container.id]
        event, = eventually(told, FATE_TIMEOUT, f"the SIGKILL to {container.name}")
        return event

    def known(self):
        """How many containers and sandboxes the agent knows by name."""
        status = json.loads(oombox("status", "-o", "json", local=self.agent.socket).stdout)
        return int(status["nodes"][0]["report"].get("container_names", {}).get("known", 0))

    def check_ids(self, told, container):
        self.assertEqual(told["container_id"], container.id)
        self.assertEqual(told["pod_uid"], container.pod.uid)

    def check_names(self, told, container):
        self.check_ids(told, container)
        self.assertEqual(told.get("container_name"), container.name, told)
        self.assertEqual(told["pod_name"], container.pod.name)
        self.assertEqual(told["namespace_name"], container.pod.namespace)

    def check_exit(self, event, container, reason=None):
        """The final event says what Kubernetes shows, and judges it."""
        status = container.status()  # its reason may come after the exit
        told = event["oom"]["container"]
        self.assertEqual(told["exit_code"], status.exit_code)
        self.assertEqual(told["exit_reason"], reason or status.reason)
        self.assertFalse(told.get("survived", False))
        self.assertEqual(event["oom"]["kubernetes_verdict"],
                         CONFIRMED if told["exit_reason"] == "OOMKilled" else MISSED)


class KillTest(ContainersTest):
    def setUp(self):
        super().setUp()
        self.watch("--cri-socket", self.containerd.socket, "--metrics-listen", "127.0.0.1:0")

    def metric_of(self, container, name):
        labels = (f'namespace="{container.pod.namespace}",pod="{container.pod.name}",'
                  f'container="{container.name}",scope="container"')
        return scrape(self.agent).get(f"{name}{{{labels}}}")

    def test_a_killed_container_is_named_as_kubernetes_names_it(self):
        pod = self.run_pod(labels={"app": "ocr", "pod-template-hash": "7c9d6b5f4"})
        container = pod.run("worker", GROW, memory_limit_bytes=48 * MIB, oom_score_adj=957,
                            env={"WEB_CONCURRENCY": "4", "TOKEN": "12345"}, attempt=2)
        container.wait_exited()

        event = self.event_of(container)

        told = event["oom"]["container"]
        self.check_names(told, container)
        self.check_exit(event, container)
        self.assertEqual(container.status().reason, "OOMKilled")
        self.assertEqual(event["oom"]["scope"], "OOM_SCOPE_CONTAINER")
        self.assertEqual(event["oom"]["limit_hit"]["limit_bytes"], 48 * MIB)
        self.assertEqual(event["oom"]["victims"][0]["container_init"], True)
        self.assertEqual(
            {key: told.get(key) for key in ("image_name", "restart_count", "owner", "qos_class",
                                            "memory_limit_bytes", "oom_score_adj")},
            {"image_name": HOG, "restart_count": 2, "owner": "deployment/ocr",
             "qos_class": "Burstable", "memory_limit_bytes": 48 * MIB, "oom_score_adj": 957})
        self.assertEqual([(knob["name"], int(knob["value"])) for knob in told["knobs"]],
                         [("WEB_CONCURRENCY", 4)])
        found = list_events("--filter", f'pod = "{pod.name}"', local=self.agent.socket)
        self.assertEqual([e["event_id"] for e in found], [event["event_id"]])

    def test_of_two_containers_the_killed_one_is_named(self):
        pod = self.run_pod()
        web = pod.run("web", SLEEP)
        worker = pod.run("worker", GROW)
        worker.wait_exited()

        event = self.event_of(worker)

        self.check_names(event["oom"]["container"], worker)
        self.assertEqual(self.listed(web), [])
        self.assertEqual(web.status().state, "RUNNING")

    def test_an_init_container_has_its_own_name(self):
        pod = self.run_pod()
        fetch = pod.run("fetch", GROW)
        fetch.wait_exited()
        worker = pod.run("worker", GROW)
        worker.wait_exited()

        for container in (fetch, worker):
            self.check_names(self.event_of(container)["oom"]["container"], container)

    def test_each_round_of_a_restart_loop_is_counted(self):
        pod = self.run_pod()
        rounds = []
        for attempt in range(3):
            last_began = time.time()
            rounds.append(pod.run("worker", GROW, attempt=attempt))
            rounds[-1].wait_exited()
            if attempt > 0:  # the kubelet keeps the last one that died
                rounds[attempt - 1].remove()

        events = [self.event_of(container) for container in rounds]

        self.assertEqual([e["oom"]["container"].get("restart_count") for e in events], [0, 1, 2])
        for event, container in zip(events, rounds):
            self.check_names(event["oom"]["container"], container)
        self.assertEqual(self.metric_of(rounds[-1], "oombox_oom_kills_total"), 3)
        last = self.metric_of(rounds[-1], "oombox_last_oom_kill_timestamp_seconds")
        self.assertTrue(last_began < last < time.time(), (last_began, last))

    def test_a_besteffort_pod_is_one(self):
        container = self.run_pod(qos="besteffort").run("worker", GROW, oom_score_adj=1000)
        container.wait_exited()

        event = self.event_of(container)

        self.check_names(event["oom"]["container"], container)
        self.assertEqual(event["oom"]["container"]["qos_class"], "BestEffort")

    def test_a_guaranteed_pod_is_one(self):
        container = self.run_pod(qos="guaranteed").run("worker", GROW)
        container.wait_exited()

        self.assertEqual(self.event_of(container)["oom"]["container"]["qos_class"], "Guaranteed")

    def test_a_child_that_dies_while_the_container_lives_is_missed_by_kubernetes(self):
        container = self.run_pod().run("worker", ["sh", "-c", "tail /dev/zero; sleep 100000"])

        event = self.event_of(container)

        self.check_names(event["oom"]["container"], container)
        self.assertEqual(event["oom"]["container"].get("survived"), True)
        self.assertNotIn("exit_code", event["oom"]["container"])
        self.assertEqual(event["oom"]["kubernetes_verdict"], MISSED)
        self.assertFalse(event["oom"]["victims"][0].get("container_init", False))
        self.assertEqual(container.status().state, "RUNNING")

    def test_a_container_that_ends_well_after_its_childs_death_says_so(self):
        container = self.run_pod().run("worker", ["sh", "-c", "tail /dev/zero; sleep 2; exit 0"])
        container.wait_exited()

        event = self.event_of(container)

        self.check_exit(event, container)
        self.assertEqual(event["oom"]["container"]["exit_code"], 0)

    def kill_and_remove(self, remove):
        """The container and its event; again where this machine left the agent no time to ask while it was there."""
        for _ in range(ATTEMPTS):
            pod = self.run_pod(labels={"pod-template-hash": "7c9d6b5f4"})
            with Pauses(self.agent.state_dir) as pauses:
                container = pod.run("worker", GROW)
                container.wait_exited()
                remove(container)
            event = self.event_of(container)
            if "pod_name" in event["oom"]["container"] or pauses.longest < HELD_UP:
                break
        return container, event

    def test_a_container_removed_at_once_has_its_names(self):
        container, event = self.kill_and_remove(lambda container: container.remove())

        self.check_names(event["oom"]["container"], container)

    def test_a_pod_removed_at_once_has_its_names(self):
        container, event = self.kill_and_remove(lambda container: container.pod.remove())

        self.check_names(event["oom"]["container"], container)
        self.assertEqual(event["oom"]["container"]["owner"], "deployment/ocr")


class NoKillTest(ContainersTest):
    def setUp(self):
        super().setUp()
        self.watch()

    def kill_from_outside(self, container):
        os.kill(container.first_process(), signal.SIGKILL)
        return container.wait_exited()

    def test_a_sigkill_from_outside_is_no_oom(self):
        container = self.run_pod().run("worker", SLEEP)
        status = self.kill_from_outside(container)

        event = self.no_kill_of(container)

        self.assertEqual(status.exit_code, 137)
        self.assertEqual(event["no_kill"]["kind"], "KIND_INIT_KILLED")
        self.assertEqual(event["no_kill"]["sender"]["tgid"], os.getpid())
        self.check_names(event["no_kill"]["container"], container)
        self.assertEqual(event["no_kill"]["container"]["exit_code"], 137)
        self.assertEqual(event["no_kill"]["kubernetes_verdict"], NOT_OOM)
        self.assertEqual(self.listed(container), [])

    def test_a_sigkill_that_kubernetes_calls_an_oom_is_a_false_positive(self):
        # containerd remembers the OOM of a child.
        container = self.run_pod().run("worker", ["sh", "-c", "tail /dev/zero; sleep 100000"])
        self.first_event_of(container)
        eventually(lambda: container.status().reason == "OOMKilled", why="the runtime's word of the OOM")
        status = self.kill_from_outside(container)

        event = self.no_kill_of(container)

        self.assertEqual((status.reason, status.exit_code), ("OOMKilled", 137))
        self.assertEqual(event["no_kill"]["kubernetes_verdict"], FALSE_POSITIVE)
        # The child's kill is shown, as the end of a container that it did not end.
        oom = self.event_of(container)
        self.assertEqual(oom["oom"]["kubernetes_verdict"], CONFIRMED)
        explained = oombox("explain", oom["event_id"], local=self.agent.socket).stdout
        self.assertIn("the process that the kernel killed was not process 1 there", " ".join(explained.split()))


class ManyContainersTest(ContainersTest):
    PODS = 20
    CONTAINERS = 10

    def test_one_of_two_hundred_containers_is_named(self):
        self.watch()
        doomed = (7, 3)

        def fill(number):
            pod = self.run_pod(f"web-{number}", uid=f"00000000-0000-4000-8000-{number:012}")
            return [pod.run(f"c{i}", grow_when_told() if (number, i) == doomed else SLEEP)
                    for i in range(self.CONTAINERS)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            pods = list(pool.map(fill, range(self.PODS)))
        victim = pods[doomed[0]][doomed[1]]

        victim.go()
        victim.wait_exited()

        event = self.event_of(victim)
        self.check_names(event["oom"]["container"], victim)
        self.check_exit(event, victim)


if __name__ == "__main__":
    unittest.main()
