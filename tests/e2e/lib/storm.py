"""Kills going on while a test does something else."""

import json
import subprocess
import threading

from lib.programs import ENVIRONMENT, binary


class Storm:
    """memhog's storm in the background; `truth` when it has ended. With a pause between two kills it
    lasts long enough for several agents to come and go, however fast the machine is."""

    def __init__(self, kills, pause_ms=0):
        self.process = subprocess.Popen(
            [binary("memhog"), "storm", "--kills", str(kills), "--same-cgroup", "--limit", "8Mi",
             "--pause-ms", str(pause_ms)],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._out = []
        self._reader = threading.Thread(target=lambda: self._out.append(self.process.stdout.read()))
        self._reader.start()

    @property
    def running(self):
        return self.process.poll() is None

    def truth(self):
        self._reader.join()
        self.process.stdout.close()
        assert self.process.wait() == 0, "memhog failed"
        return json.loads(self._out[0])
