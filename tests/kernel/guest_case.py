"""The base of the guest tests: one initramfs for a file of tests, and what every play tells."""

import json
import os
import shutil
import tempfile
import unittest

import debian_kernels
import guest
from lib.events import parse_events
from lib.machine import require_programs, skip
from lib.programs import binary

PROGRAMS = ("oombox-agent", "oombox-collector", "oombox", "memhog")
NEEDS = ("setpriv", "qemu-system-x86_64", "cpio", "busybox", "strip", "dpkg-deb")


class GuestCase(unittest.TestCase):
    programs = PROGRAMS
    needs = NEEDS

    @classmethod
    def setUpClass(cls):
        require_programs(*cls.programs)
        if missing := [name for name in cls.needs if not shutil.which(name)]:
            skip(f"not installed: {', '.join(missing)}")
        # Not in memory: the disk of a guest needs O_DIRECT.
        cls.folder = tempfile.mkdtemp(prefix="oombox-guest-", dir="/var/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.initramfs = guest.build_initramfs([binary(name) for name in cls.programs], cls.folder)

    def kernel(self, name="6.1"):
        """Image of a kernel of kernels.txt."""
        kernel, = (kernel for kernel in debian_kernels.kernels() if kernel.name == name)
        try:
            return kernel.image()
        except debian_kernels.KernelError as error:
            return skip(f"kernel {name} cannot be downloaded: {error}")

    def start(self, play, kernel=None, **options):
        """A guest that is gone at the end of the test, whatever happens."""
        running = guest.Guest(kernel or self.kernel(), self.initramfs, self.folder, play, **options)
        self.addCleanup(running.kill)
        return running

    def play(self, play, **options):
        """Frames of a whole play that had no complaint."""
        frames = self.start(play, **options).wait()
        self.keep(play, frames)
        self.assertEqual(frames["errors"], "", frames["agent-log"])
        return frames

    def keep(self, play, frames):
        """For whoever looks into a failure: OOMBOX_KEEP names a folder."""
        if folder := os.environ.get("OOMBOX_KEEP"):
            with open(os.path.join(folder, f"{play}.json"), "w", encoding="utf-8") as out:
                json.dump(frames, out, indent=1)


def kills(text):
    """The OOM events of a list, in the order of what happened."""
    return sorted((event for event in parse_events(text) if "oom" in event),
                  key=lambda event: event["boottime_ns"])


def gaps(text):
    return [event for event in parse_events(text) if "gap" in event]


def victims(events):
    return [event["oom"]["victims"][0]["tgid"] for event in events]


def node(frames, name="status"):
    """The one node of `oombox status -o json`; its accounting as numbers."""
    status, = json.loads(frames[name])["nodes"]
    report = status["report"]
    report["accounting"] = {key: int(value) for key, value in report["accounting"].items()}
    return report
