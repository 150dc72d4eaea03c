"""How long this machine holds up whoever writes to its disk, while a test measures somebody else."""

import os
import threading
import time

# Seconds: who takes longer for so little is on a machine that holds up what it measures, and plays it again.
HELD_UP = 0.3
ATTEMPTS = 3


class Pauses:
    """with Pauses(folder) as pauses: ...; then `pauses.longest`: seconds that a thread took, at worst, to sleep
    for a moment, write to a file in the folder and wait for the disk."""

    ROUND = 0.05

    def __init__(self, folder):
        self.longest = 0
        self._path = os.path.join(folder, "pauses")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        os.remove(self._path)

    def _run(self):
        with open(self._path, "wb", buffering=0) as file:
            while not self._over.is_set():
                begin = time.monotonic()
                time.sleep(self.ROUND)
                file.write(b"x")
                os.fsync(file.fileno())
                self.longest = max(self.longest, time.monotonic() - begin - self.ROUND)
