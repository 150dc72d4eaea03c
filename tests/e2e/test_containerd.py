"""What a test's containerd leaves behind, whatever the test did: nothing."""

import os
import unittest

from lib.containerd import Containerd, require_containers
from lib.machine import require_real_kills
from lib.programs import eventually

SLEEP = ["sleep", "100000"]


def setUpModule():
    require_real_kills()
    require_containers()


class CleanUpTest(unittest.TestCase):
    def leave(self, break_it):
        inner = unittest.FunctionTestCase(lambda: None)
        containerd = Containerd(inner)
        container = containerd.run_pod("left").run("worker", SLEEP)
        folder = os.path.dirname(containerd.socket)
        break_it(containerd)
        inner.doCleanups()
        self.assertEqual(container.processes(), [])
        self.assertEqual(containerd.mounts() + containerd.cgroups.left() + containerd.shim_sockets(), [])
        self.assertFalse(os.path.exists(folder))
        eventually(lambda: not containerd.shims(), why="the shims' end")

    def test_nothing_is_left_of_a_daemon_that_runs(self):
        self.leave(lambda containerd: None)

    def test_nothing_is_left_of_a_daemon_that_hangs(self):
        self.leave(lambda containerd: containerd.pause())

    def test_nothing_is_left_of_a_daemon_that_ended(self):
        self.leave(lambda containerd: containerd.stop())


if __name__ == "__main__":
    unittest.main()
