"""memhog itself: it tells the truth, and it leaves nothing behind."""

import json
import os
import signal
import subprocess
import unittest

from lib.kernel_report import KernelLog
from lib.machine import memory_mount, own_memory_cgroup, require_real_kills
from lib.programs import ENVIRONMENT, binary, eventually, memhog


def setUpModule():
    require_real_kills()


class MemhogTest(unittest.TestCase):
    def directory(self, name):
        return memory_mount() + own_memory_cgroup().rstrip("/") + "/" + name

    def start(self, *argv):
        process = subprocess.Popen([binary("memhog"), *argv], env=ENVIRONMENT,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_the_kernel_killed_whom_memhog_says(self):
        log = KernelLog()
        self.addCleanup(log.close)

        truth = memhog("neighbour", "--limit", "16Mi", "--comm", "\\xffhog")

        hog, = (p for p in truth["processes"] if p["sigkilled"])
        self.assertEqual(hog["role"], "hog")
        self.assertEqual(log.kill_of(hog["pid"]).comm, b"\xffhog")
        self.assertEqual((truth["expected_kills"], truth["observed_kills"]), (1, 1))
        cgroup, = truth["cgroups"]
        self.assertEqual((cgroup["oom_kill_before"], cgroup["oom_kill_after"]), (0, 1))

    def test_a_storm_in_cgroups_of_its_own_kills_once_in_each(self):
        truth = memhog("storm", "--kills", "4", "--limit", "4Mi")

        self.assertEqual([c["oom_kill_after"] for c in truth["cgroups"]], [1, 1, 1, 1])
        self.assertEqual(len({p["cgroup_id"] for p in truth["processes"]}), 4)

    def test_the_cgroup_is_gone_afterwards(self):
        memhog("child", "--name", "e2e-memhog-gone", "--limit", "16Mi")

        self.assertFalse(os.path.exists(self.directory("e2e-memhog-gone")))

    def test_hold_keeps_the_cgroup_until_a_newline(self):
        name = f"e2e-memhog-hold-{os.getpid()}"
        process = self.start("grow", "--limit", "8Mi", "--name", name, "--hold")
        truth = json.loads(process.stdout.readline())

        self.assertEqual(os.stat(self.directory(name)).st_ino, truth["cgroups"][0]["id"])
        process.stdin.write("\n")
        process.stdin.flush()

        self.assertEqual(process.wait(30), 0)
        self.assertFalse(os.path.exists(self.directory(name)))

    def test_sigterm_removes_processes_and_cgroup(self):
        name = f"e2e-memhog-term-{os.getpid()}"
        process = self.start("run", "--limit", "16Mi", "--name", name, "--", "sleep", "300")
        procs = self.directory(name) + "/cgroup.procs"

        def command():
            try:
                with open(procs, encoding="ascii") as pids:
                    return [int(pid) for pid in pids]
            except FileNotFoundError:
                return []

        pid = eventually(command, why="the command in its cgroup")[0]
        process.send_signal(signal.SIGTERM)

        self.assertEqual(process.wait(30), 1)
        self.assertFalse(os.path.exists(self.directory(name)))
        self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def test_an_existing_cgroup_is_refused_and_left_alone(self):
        name = f"e2e-memhog-mine-{os.getpid()}"
        os.mkdir(self.directory(name))
        self.addCleanup(os.rmdir, self.directory(name))

        process = self.start("grow", "--name", name)

        self.assertEqual(process.wait(30), 1)
        self.assertTrue(os.path.isdir(self.directory(name)))

    def test_a_command_that_lives_is_not_reported_as_killed(self):
        process = self.start("run", "--limit", "32Mi", "--", "true")
        out, _ = process.communicate(timeout=30)

        self.assertEqual(process.returncode, 1)
        self.assertEqual(json.loads(out)["observed_kills"], 0)


if __name__ == "__main__":
    unittest.main()
