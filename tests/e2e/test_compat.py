"""What version 0.1 recorded and saved, with the programs of today (the rest: tests/compat)."""

import contextlib
import json
import os
import shutil
import sqlite3
import unittest

from lib.machine import recording, require_programs
from lib.programs import Agent, Scratch, eventually, list_events, oombox

KEPT = os.path.normpath(os.path.join(os.path.dirname(__file__), "../compat/v0.1"))
SAVED = os.path.join(KEPT, "events.jsonl")
PARTIAL = 3  # a recording vouches for nothing


def setUpModule():
    require_programs("oombox-agent", "oombox")


def raw_events(text):
    """{id: event}, as printed."""
    return {event["event_id"]: event for event in map(json.loads, text.splitlines())}


def saved_events():
    with open(SAVED, encoding="utf-8") as lines:
        return raw_events(lines.read())


def lost(then, now, path=""):
    """Where `now` does not say what `then` said. What is new is fine, and may be named as missing; what was
    missing still is, if for another reason: another version knows other things."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key, value in then.items():
            yield from lost(value, now.get(key), f"{path}.{key}")
    elif path.endswith(".quality.missing"):
        missing = {entry["field"] for entry in now}
        yield from (f"{path}: {entry}" for entry in then if entry["field"] not in missing)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (old, new) in enumerate(zip(then, now)):
            yield from lost(old, new, f"{path}[{index}]")
    elif then != now:
        yield f"{path}: {then!r} is now {now!r}"


class OldRecordsTest(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch(self)

    def replay(self, journal):
        # As tests/compat/record started the agent of then.
        return Agent(self, self.scratch, "--replay", journal, "--cluster", "prod",
                     node="node-1").wait_ready()

    def without_records(self):
        path = self.scratch.file("empty.journal.db")
        shutil.copy(recording(), path)
        with contextlib.closing(sqlite3.connect(path)) as journal, journal:
            journal.execute("DELETE FROM entries")
        return path

    def events(self, agent, count):
        def listed():
            done = oombox("list", "-o", "jsonl", local=agent.socket)
            self.assertIn(done.returncode, (0, PARTIAL), done.stderr)
            return len(done.stdout.splitlines()) >= count and raw_events(done.stdout)
        return eventually(listed, why=f"{count} events of the recording")

    def test_a_recording_of_then_is_the_same_events_today(self):
        then = saved_events()

        now = self.events(self.replay(recording()), len(then))

        self.assertEqual(sorted(now), sorted(then))
        for event_id, event in then.items():
            self.assertEqual(list(lost(event, now[event_id])), [], event_id)

    def test_a_store_of_then_is_gone_on_with(self):
        os.mkdir(self.scratch.file("state"))
        shutil.copy(os.path.join(KEPT, "events.db"), self.scratch.file("state"))

        agent = self.replay(self.without_records())

        self.assertEqual(self.events(agent, 5), saved_events())
        self.assertNotIn("moved aside", agent.log())

    def test_records_that_are_events_in_a_store_of_then_become_no_second_event(self):
        os.mkdir(self.scratch.file("state"))
        shutil.copy(os.path.join(KEPT, "events.db"), self.scratch.file("state"))

        agent = self.replay(recording())

        self.assertEqual(sorted(self.events(agent, 5)), sorted(saved_events()))
        self.assertEqual(len(list_events(local=agent.socket)), 5)


class SavedEventsTest(unittest.TestCase):
    """`oombox -f` with what the client of then saved."""

    def test_they_are_listed_and_printed_again_as_they_were(self):
        done = oombox("-f", SAVED, "list", "-o", "jsonl")

        self.assertIn(done.returncode, (0, PARTIAL), done.stderr)
        self.assertEqual(raw_events(done.stdout), saved_events())

    def test_each_is_explained_with_its_victim_and_its_limit(self):
        for event_id, event in saved_events().items():
            done = oombox("-f", SAVED, "explain", event_id)

            self.assertEqual(done.returncode, 0, done.stderr)
            oom = event["oom"]
            for words in ("VERDICT", "WHO", oom["limit_hit"]["cgroup_path"], oom["victims"][0]["comm"]):
                self.assertIn(words, done.stdout)

    def test_a_filter_of_today_works_on_them(self):
        for event_id, event in saved_events().items():
            comm = event["oom"]["victims"][0]["comm"]

            done = oombox("-f", SAVED, "list", "-o", "jsonl", "--comm", comm)

            found = raw_events(done.stdout)
            self.assertIn(event_id, found)
            self.assertEqual({e["oom"]["victims"][0]["comm"] for e in found.values()}, {comm})


if __name__ == "__main__":
    unittest.main()
