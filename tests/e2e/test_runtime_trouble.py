"""Real kills in containers whose runtime is down, hangs or is not asked."""

import unittest

from lib.accounting import report_of
from lib.pauses import ATTEMPTS, HELD_UP, Pauses
from lib.pods import grow_when_told
from lib.programs import eventually
from test_containers import GROW, ContainersTest, setUpModule  # pylint: disable=unused-import


class RuntimeTroubleTest(ContainersTest):
    """Kills do not wait for the runtime."""

    def run_workers(self):
        """Some alike: when the machine itself holds up what is measured, the next is killed."""
        pod = self.run_pod()
        return [pod.run(f"worker-{number}", grow_when_told()) for number in range(ATTEMPTS)]

    def latencies(self):
        """Seconds, of all kills so far: until they were in the journal, which nobody asked a runtime for, and
        until they were stored."""
        report = report_of(self.agent)
        return [int(report.get(name, {}).get("sum_ns", 0)) / 1e9 for name in ("kill_to_journal", "kill_to_store")]

    def kill_first(self, container):
        """The event as it is first listed, and what it took as the agent measured: this test's own processes
        may be slow. Another kill of this machine makes that more."""
        before = self.latencies()

        def measured():
            took = [after - earlier for earlier, after in zip(before, self.latencies())]
            return took if min(took) > 0 else None
        container.go()
        event = self.first_event_of(container)
        return event, *eventually(measured, why="its latency")

    def first_event_within_a_second(self, workers):
        """Kills one; it and its event."""
        for container in workers:
            with Pauses(self.agent.state_dir) as pauses:
                event, to_journal, to_store = self.kill_first(container)
            if to_store < 1:
                return container, event
            self.assertGreater(max(pauses.longest, to_journal), HELD_UP,
                               f"stored after {to_store} s, and the machine was not busy")
        self.fail(f"this machine held up each of {len(workers)} kills")

    def test_the_runtime_may_be_restarted(self):
        self.watch()
        pod = self.run_pod()
        before = pod.run("before", grow_when_told())

        self.containerd.stop()
        self.containerd.start()
        before.go()
        after = pod.run("after", GROW)

        for container in (before, after):
            container.wait_exited()
            event = self.event_of(container)
            self.check_names(event["oom"]["container"], container)
            self.check_exit(event, container)

    def test_a_kill_while_the_runtime_is_down_has_names_and_its_fate_later(self):
        workers = self.run_workers()
        self.watch()
        self.agent.wait_for_line("the container runtime answers")  # it has the list

        self.containerd.stop()
        container, event = self.first_event_within_a_second(workers)
        self.check_names(event["oom"]["container"], container)
        self.containerd.start()

        container.wait_exited()
        # containerd 1.6 says "Error" first: it hears of the OOM a second after it found the exit.
        self.check_exit(self.event_of(container), container, reason="OOMKilled")

    def test_a_runtime_that_hangs_makes_no_kill_late(self):
        self.watch()
        workers = self.run_workers()
        eventually(lambda: self.known() > len(workers), why="a pod and containers that are known")

        self.containerd.pause()
        container, event = self.first_event_within_a_second(workers)

        self.check_names(event["oom"]["container"], container)
        self.containerd.resume()
        container.wait_exited()
        self.check_exit(self.event_of(container), container)

    def test_names_come_when_a_runtime_hangs_no_longer(self):
        workers = self.run_workers()
        self.containerd.pause()
        self.watch()

        container, event = self.first_event_within_a_second(workers)

        self.check_ids(event["oom"]["container"], container)
        self.assertNotIn("pod_name", event["oom"]["container"])
        self.containerd.resume()
        event = self.event_of(container)
        self.assertGreater(event["revision"], 1)
        self.check_names(event["oom"]["container"], container)
        container.wait_exited()
        self.check_exit(event, container)

    def test_without_a_runtime_there_are_the_ids_of_the_path(self):
        self.watch("--no-cri")
        container = self.run_pod().run("worker", GROW)
        container.wait_exited()

        event = self.event_of(container)

        told = event["oom"]["container"]
        self.check_ids(told, container)
        self.assertEqual(told["qos_class"], "Burstable")
        for name in ("pod_name", "container_name", "namespace_name", "image_name", "owner", "exit_code"):
            self.assertNotIn(name, told)
        self.assertIn(event["oom"].get("kubernetes_verdict", ""), ("", "KUBERNETES_VERDICT_UNSPECIFIED"))


if __name__ == "__main__":
    unittest.main()
