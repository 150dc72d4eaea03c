"""What the programs print: a JSON log that machines can read, and colours where somebody sees them."""

import contextlib
import datetime
import json
import os
import pty
import subprocess
import unittest

from lib.machine import recording, require_programs
from lib.programs import ENVIRONMENT, Agent, Collector, Scratch, binary, eventually, list_events

SAVED = os.path.join(os.path.dirname(__file__), "../compat/v0.1/events.jsonl")
# A folder that anyone might make.
HOSTILE = 'a "b"\n\tc\\d\x1b[31mé'
ESCAPE = b"\x1b"


def setUpModule():
    require_programs("oombox-agent", "oombox-collector", "oombox")


class JsonLogTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)
        self.state_dir = self.scratch.file(HOSTILE)

    def messages(self, daemon):
        found = []
        for line in daemon.lines:
            entry = json.loads(line)
            self.assertEqual(set(entry), {"ts", "level", "program", "msg"}, line)
            self.assertTrue(entry["ts"].endswith("Z"), line)
            datetime.datetime.fromisoformat(entry["ts"].removesuffix("Z"))
            self.assertIn(entry["level"], ("debug", "info", "warning", "error"))
            self.assertEqual(entry["program"], os.path.basename(daemon.argv[0]))
            found.append(entry["msg"])
        return found

    def test_every_line_of_an_agents_life_is_an_object_whatever_the_message_holds(self):
        agent = Agent(self, self.scratch, "--replay", recording(), "--log-format", "json", "--log-level",
                      "debug", "--collector", f"unix:{self.scratch.file('none.sock')}",
                      state_dir=self.state_dir).wait_ready()
        self.assertEqual(agent.stop(), 0)

        messages = self.messages(agent)

        self.assertEqual(len([m for m in messages if f"state-dir={self.state_dir} " in m]), 1, messages)
        self.assertEqual(messages[-1], "stopped")

    def test_a_refusal_is_an_object_too(self):
        with open(self.state_dir, "w", encoding="utf-8"):
            pass
        for daemon in (Agent(self, self.scratch, "--replay", recording(), "--log-format", "json",
                             state_dir=self.state_dir),
                       Collector(self, self.scratch, "--log-format", "json", state_dir=self.state_dir)):
            self.assertEqual(daemon.wait_exit(), 73, daemon.log())
            message, = self.messages(daemon)
            self.assertIn(self.state_dir, message)


def on_terminal(*argv, stop_at=None, **environment):
    """What a program writes to a terminal of its own; SIGTERM once it has written `stop_at`."""
    master, terminal = pty.openpty()
    clean = {key: value for key, value in ENVIRONMENT.items() if key not in ("NO_COLOR", "COLORTERM")}
    process = subprocess.Popen(argv, stdin=terminal, stdout=terminal, stderr=terminal,
                               env={**clean, "TERM": "xterm-256color", **environment})
    os.close(terminal)
    written = b""
    with contextlib.suppress(OSError):  # EIO: nobody has the terminal open any more
        while data := os.read(master, 65536):
            written += data
            if stop_at and stop_at in written:
                process.terminate()
    os.close(master)
    process.wait()
    return written


class ColorTest(unittest.TestCase):
    VERBS = (("list",), ("explain", "latest"))

    def saved(self, verb, *flags, **environment):
        return on_terminal(binary("oombox"), "-f", SAVED, *flags, *verb, **environment)

    def test_a_terminal_gets_colours(self):
        for verb in self.VERBS:
            self.assertIn(ESCAPE, self.saved(verb), verb)
            self.assertIn(ESCAPE, self.saved(verb, NO_COLOR=""), f"{verb}: empty is not set")

    def test_no_color_means_not_one_escape_byte_on_a_terminal(self):
        for verb in (*self.VERBS, ("get", "latest"), ("explain", "nope"), ("status",), ("--help",),
                     ("list", "-x")):
            written = self.saved(verb, NO_COLOR="1")
            self.assertNotIn(ESCAPE, written, verb)
            self.assertNotEqual(written, b"", verb)

    def test_a_dumb_terminal_gets_none(self):
        for verb in self.VERBS:
            self.assertNotIn(ESCAPE, self.saved(verb, TERM="dumb"), verb)

    def test_the_flag_has_the_last_word(self):
        for verb in self.VERBS:
            self.assertNotIn(ESCAPE, self.saved(verb, "--color", "never"), verb)
            self.assertIn(ESCAPE, self.saved(verb, "--color", "always", NO_COLOR="1"), verb)

    def test_a_pipe_gets_colours_only_when_asked_for(self):
        for verb in self.VERBS:
            argv = [binary("oombox"), "-f", SAVED, *verb]
            environment = {**ENVIRONMENT, "TERM": "xterm-256color"}
            plain = subprocess.run(argv, env=environment, capture_output=True, check=False).stdout
            colored = subprocess.run([*argv, "--color", "always"], env=environment, capture_output=True,
                                     check=False).stdout
            self.assertNotIn(ESCAPE, plain, verb)
            self.assertIn(ESCAPE, colored, verb)

    def test_status_and_list_of_a_server_keep_to_it(self):
        agent = Agent(self, Scratch(self), "--replay", recording()).wait_ready()
        eventually(lambda: list_events(local=agent.socket), why="the replayed events")
        for verb in ("list", "status"):
            argv = (binary("oombox"), "--server", agent.address, verb)
            self.assertIn(ESCAPE, on_terminal(*argv), verb)
            self.assertNotIn(ESCAPE, on_terminal(*argv, NO_COLOR="1"), verb)

    def test_the_log_on_a_terminal_keeps_to_it(self):
        for no_color, check in (("", self.assertIn), ("1", self.assertNotIn)):
            scratch = Scratch(self)
            written = on_terminal(binary("oombox-agent"), "--replay", recording(), "--state-dir",
                                  scratch.file("state"), "--socket", scratch.file("agent.sock"),
                                  stop_at=b"ready", NO_COLOR=no_color)
            self.assertIn(b"stopped", written)
            check(ESCAPE, written)


if __name__ == "__main__":
    unittest.main()
