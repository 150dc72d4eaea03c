"""A file system for BPF pins that belongs to one test."""

import json
import os
import shutil
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


def change_value(pin, offset, data):
    """Overwrites bytes of the one value of a pinned array map."""
    if not shutil.which("bpftool"):
        skip("bpftool is not installed")
    argv = ["bpftool", "-j", "map"]
    where = ["pinned", pin, "key", "0", "0", "0", "0"]
    found = json.loads(subprocess.run([*argv, "lookup", *where], capture_output=True, text=True,
                                      check=True).stdout)
    value = bytearray(int(byte, 16) for byte in found["value"])
    value[offset:offset + len(data)] = data
    subprocess.run([*argv, "update", *where, "value", *map(str, value)], check=True,
                   capture_output=True)
