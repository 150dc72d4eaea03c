"""A file system for BPF pins that belongs to one test."""

import os
import subprocess

from lib.machine import skip


class Bpffs:
    """A bpffs of the test's own: what is pinned there is gone with it at the end of the test."""

    def __init__(self, test, scratch):
        self.path = scratch.file("bpf")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "bpf", "bpf", self.path], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            skip(f"no bpffs can be mounted: {done.stderr.strip()}")
        test.addCleanup(subprocess.run, ["umount", self.path], check=True)
        self.pins = os.path.join(self.path, "oombox")

    def pinned(self):
        """Every pin, with its folder."""
        return sorted(os.path.relpath(os.path.join(folder, name), self.pins)
                      for folder, _, names in os.walk(self.pins) for name in names)
