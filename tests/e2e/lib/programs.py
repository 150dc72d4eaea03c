"""Starts and stops the programs under test, each with a state folder and socket of its own."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from lib.events import parse_events

BIN = os.environ.get("OOMBOX_BIN", "")
START_TIMEOUT = 30
STOP_TIMEOUT = 30
# Nothing of the tester's own configuration reaches the programs.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("OOMBOX_")}
ENVIRONMENT["LC_ALL"] = "C.UTF-8"


def binary(name):
    return os.path.join(BIN, name)


class Scratch:
    """A short-named folder (socket paths are at most 107 bytes); removed at the end of the test."""

    def __init__(self, test):
        self.path = tempfile.mkdtemp(prefix="oombox-", dir="/tmp")
        test.addCleanup(shutil.rmtree, self.path, ignore_errors=True)

    def file(self, *names):
        return os.path.join(self.path, *names)


class Daemon:
    """A running program whose standard error is read line by line. Stopped at the end of the test,
    its log printed when the test failed."""

    ready = re.compile(r"\bready\b")

    def __init__(self, test, argv, environment=None):
        self.argv = argv
        self.lines = []
        self._changed = threading.Condition()
        self._closed = False
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**ENVIRONMENT, **(environment or {})}, text=True, errors="replace")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        test.addCleanup(self._clean_up, test)

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def log(self):
        return "\n".join(self.lines)

    def wait_for_line(self, pattern, timeout=START_TIMEOUT):
        """The first logged line that matches."""
        pattern = re.compile(pattern) if isinstance(pattern, str) else pattern

        def found():
            return next((line for line in self.lines if pattern.search(line)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._closed, timeout)
            line = found()
        if line is None:
            raise AssertionError(f"{self.argv[0]} never logged {pattern.pattern!r}:\n{self.log()}")
        return line

    def wait_ready(self):
        self.wait_for_line(self.ready)
        return self

    def wait_exit(self, timeout=STOP_TIMEOUT):
        """The exit code; negative for a signal."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_exit()

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.kill()
        return self.wait_exit()

    def _clean_up(self, test):
        try:
            if self.process.poll() is None:
                self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
        finally:
            self.process.stderr.close()
            result = getattr(test._outcome, "result", None)
            if result and any(test is failed for failed, _ in result.failures + result.errors):
                print(f"--- {' '.join(self.argv)}\n{self.log()}", flush=True)


class Agent(Daemon):
    """oombox-agent with a state folder and socket below `scratch`; pinned only when `pins` says where. Runs
    in a container as the DaemonSet's, where this machine can: not when `bare`, which is as a service of the
    machine, behind a `prefix`, or when it replays."""

    def __init__(self, test, scratch, *flags, node="e2e-node", socket=None, state_dir=None, pins="",
                 bare=False, prefix=(), environment=None, program="oombox-agent"):
        from lib import daemonset  # pylint: disable=import-outside-toplevel,cyclic-import
        self.socket = socket or scratch.file("agent.sock")
        self.state_dir = state_dir or scratch.file("state")
        if not any(flag.startswith(("--cri-socket", "--no-cri")) for flag in flags):
            flags = ("--no-cri", *flags)  # nobody asks a runtime that happens to run here
        argv = [*prefix, binary(program), "--state-dir", self.state_dir, "--socket", self.socket,
                "--node-name", node, "--pin-dir", pins, *flags]
        self._container = None
        outside = bare or prefix or "--replay" in flags
        if not outside and daemonset.obstacle() is None:
            variables = {**ENVIRONMENT, **(environment or {})}
            self._container = daemonset.DaemonSetContainer(test, scratch.path, argv, variables)
            argv = self._container.argv
        super().__init__(test, argv, environment=environment)

    @property
    def address(self):
        return f"unix:{self.socket}"

    @property
    def pid(self):
        """Of the agent itself."""
        if self._container is None:
            return self.process.pid
        return eventually(self._container.pid, why="the container's process")

    def _signal(self, number):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait_exit(self, timeout=STOP_TIMEOUT):
        code = super().wait_exit(timeout)
        ended_by_signal = self._container is not None and code > 128
        return 128 - code if ended_by_signal else code

    def interrupt(self):
        self._signal(signal.SIGINT)
        return self.wait_exit()

    def stop(self):
        self._signal(signal.SIGTERM)
        return self.wait_exit()

    def kill(self):
        self._signal(signal.SIGKILL)
        return self.wait_exit()


class Collector(Daemon):
    """oombox-collector on a unix socket below `scratch`."""

    def __init__(self, test, scratch, *flags, state_dir=None):
        self.socket = scratch.file("collector.sock")
        super().__init__(test, [
            binary("oombox-collector"), "--state-dir", state_dir or scratch.file("collector"), "--listen",
            f"unix:{self.socket}", *flags])

    @property
    def address(self):
        return f"unix:{self.socket}"


def oombox(*argv, server=None, local=None, timeout=60, environment=None, stdin=None):
    """Runs the client against a server address or an agent's socket; never raises on its exit code."""
    variables = dict(ENVIRONMENT)
    flags = []
    if local is not None:
        variables["OOMBOX_AGENT_SOCKET"] = local
        flags = ["--local"]
    elif server is not None:
        flags = ["--server", server]
    variables.update(environment or {})
    return subprocess.run([binary("oombox"), *flags, *argv], env=variables, timeout=timeout,
                          input=stdin, capture_output=True, text=True, errors="strict")


def memhog(*argv, timeout=180):
    """Makes real kills; returns the truth about them."""
    done = subprocess.run([binary("memhog"), *argv], env=ENVIRONMENT, timeout=timeout,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"memhog {' '.join(argv)}: exit {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def eventually(ask, timeout=20, why="the expected answer"):
    """Asks again until the answer is true; the other side is a process that cannot be waited for."""
    deadline = time.monotonic() + timeout
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{why} did not come within {timeout} s; last answer: {answer!r}")
        time.sleep(0.05)


def list_events(*filters, **where):
    """Events of `oombox list`; [] while there are none."""
    done = oombox("list", "--no-group", "-o", "jsonl", *filters, **where)
    if done.returncode not in (0, 3):
        raise AssertionError(f"oombox list: exit {done.returncode}: {done.stderr}")
    return [event for event in parse_events(done.stdout) if "oom" in event]


def events_of(cgroup_paths, **where):
    """Full events of kills in the given cgroups, the oldest first."""
    events = []
    for path in cgroup_paths:
        events += list_events("--filter", f'cgroup = "{path}"', **where)
    return sorted(events, key=lambda event: event["boottime_ns"])


def wait_for_final(reference, timeout=30, **where):
    """The event, when nothing more is to come."""
    def final():
        event = get_event(reference, **where)
        return event if event.get("final") else None
    return eventually(final, timeout, f"the final revision of {reference}")


def get_event(reference, **where):
    done = oombox("get", reference, "-o", "json", **where)
    if done.returncode != 0:
        raise AssertionError(f"oombox get {reference}: exit {done.returncode}: {done.stderr}")
    return parse_events(done.stdout)[0]


def wait_for_events(truth, count, timeout=30, **where):
    """Waits until `count` kills of memhog's cgroups are listed, and returns them in full."""
    paths = [cgroup["path"] for cgroup in truth["cgroups"]]
    listed = eventually(lambda: (found := events_of(paths, **where)) and len(found) >= count and found,
                        timeout, f"{count} events of {paths[0]}")
    return [get_event(event["event_id"], **where) for event in listed]
