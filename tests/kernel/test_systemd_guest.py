"""Containers in slices of systemd's cgroup driver, on cgroup v2: the tests of tests/e2e, in a guest."""

import shutil
import tempfile
import unittest

from debian_kernels import KernelError
from lib.machine import require_programs, skip
from lib.programs import binary
from systemd_guest import SystemdGuest, rootfs

PROGRAMS = ("oombox-agent", "oombox", "memhog")
NEEDS = ("setpriv", "qemu-system-x86_64", "mkfs.ext4", "strip", "mmdebstrap")
TESTS = ("test_containers.KillTest", "test_containers.NoKillTest")


class SystemdGuestTest(unittest.TestCase):
    def setUp(self):
        require_programs(*PROGRAMS)
        if missing := [name for name in NEEDS if not shutil.which(name)]:
            skip(f"not installed: {', '.join(missing)}")
        self.folder = tempfile.mkdtemp(prefix="oombox-guest-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.folder)

    def test_containers_in_slices_are_named_and_judged(self):
        programs = [binary(name) for name in PROGRAMS]
        try:
            packages = rootfs(programs)
        except KernelError as error:
            skip(f"the guest's packages cannot be had: {error}")
        output = SystemdGuest(self.folder, packages, programs, TESTS).run()
        print(output, flush=True)
        self.assertIn("OOMBOX-EXIT 0", output)
        self.assertNotIn("OOMBOX-SKIP", output)


if __name__ == "__main__":
    unittest.main()
