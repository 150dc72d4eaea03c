"""A TCP proxy between agent and collector that cuts, delays and truncates, from a seed."""

import contextlib
import random
import select
import socket
import threading


class ChaosProxy:
    """Listens on a loopback port of its own and forwards to `target` (host, port). Each connection lives
    for a random number of bytes; then it is cut in the middle of what it carries. Stops at the end of the
    test."""

    def __init__(self, test, target, seed, mean_bytes=20000, max_delay=0.05):
        self.target = target
        self.mean_bytes = mean_bytes
        self.max_delay = max_delay
        self.connections = 0
        self.calm = False  # forwards faithfully from now on
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        test.addCleanup(self._close)

    @property
    def address(self):
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _close(self):
        self._stop.set()
        for thread in list(self._threads):
            thread.join()
        self._listener.close()

    def _accept(self):
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.1)[0]:
                continue
            client, _ = self._listener.accept()
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            with socket.create_connection(self.target, timeout=5) as server:
                self._pump(client, server)

    def _pump(self, client, server):
        left = self._random.expovariate(1 / self.mean_bytes)
        peers = {client: server, server: client}
        while not self._stop.is_set():
            for source in select.select(list(peers), [], [], 0.1)[0]:
                data = source.recv(4096)
                if not data:
                    return
                if self.calm:
                    peers[source].sendall(data)
                    continue
                self._stop.wait(self._random.uniform(0, self.max_delay))
                left -= len(data)
                if left <= 0:
                    peers[source].sendall(data[:len(data) // 2])
                    return
                peers[source].sendall(data)
