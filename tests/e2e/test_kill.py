"""Real kills on this host: every number against the kernel's report and memhog's truth."""

import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from lib import compare
from lib.events import parse_events
from lib.kernel_report import KernelLog
from lib.machine import (cgroup_inode, own_memory_cgroup, prints_exact_sums, require_real_kills,
                         skip)
from lib.programs import (Agent, Scratch, binary, eventually, events_of, list_events, memhog, oombox,
                          wait_for_events, wait_for_final)
from lib.text import escape_untrusted, is_printable

# The kernel prints ten full reports in 5 s, for the whole machine (oom_kill.c, dump_header).
REPORT_INTERVAL = 5.1
REPORT_ATTEMPTS = 4


def setUpModule():
    require_real_kills()


class KillTest(unittest.TestCase):
    def setUp(self):
        self.log = KernelLog()
        self.addCleanup(self.log.close)
        self.agent = Agent(self, Scratch(self)).wait_ready()

    def play(self, *scenario):
        """A kill that the kernel reported in full: (truth, killed process, kernel's kill)."""
        for attempt in range(REPORT_ATTEMPTS):
            truth = memhog(*scenario)
            process = next(p for p in truth["processes"] if p["sigkilled"])
            kill = self.log.kill_of(process["pid"])
            self.assertIsNotNone(kill, "the kernel's log has no line of the kill")
            if kill.report:
                return truth, process, kill
            time.sleep(REPORT_INTERVAL)
        self.fail("the kernel suppressed its report every time: too many kills on this machine")

    def played(self, *scenario):
        """A kill whose event equals the kernel's report and the truth: (event, truth, killed process)."""
        for attempt in range(2):
            truth, process, kill = self.play(*scenario)
            event, = wait_for_events(truth, 1, local=self.agent.socket)
            found = compare.everything(event, kill, truth, process, cgroup_inode, prints_exact_sums())
            self.assertEqual([], [line for line in found if not isinstance(line, compare.MovedMeanwhile)])
            if not found:
                break
        self.assertEqual([], found)
        return event, truth, process

    def test_every_field_of_a_kill_equals_the_kernels_report_and_the_truth(self):
        self.played("grow", "--limit", "64Mi")

    def test_a_kernel_with_the_cast_takes_the_direct_object(self):
        with open("/sys/kernel/btf/vmlinux", "rb") as btf:
            if b"bpf_rdonly_cast" not in btf.read():
                skip("before Linux 6.2: no bpf_rdonly_cast")
        self.assertNotIn("by helper calls", self.agent.log())

    def test_the_uid_and_the_pid_in_its_own_namespace_are_the_victims(self):
        event, _, _ = self.played("grow", "--limit", "32Mi", "--uid", "12345", "--pid-namespace", "--oom-score-adj",
                                  "321")

        self.assertEqual(event["oom"]["victims"][0]["namespace_pid"], 1)

    def test_the_hog_is_ranked_before_its_innocent_neighbour(self):
        event, truth, _ = self.played("neighbour", "--limit", "64Mi")

        users = event["oom"]["top_users"]
        pids = {p["role"]: p["pid"] for p in truth["processes"]}
        self.assertEqual([user["tgid"] for user in users], [pids["hog"], pids["neighbour"]])
        self.assertEqual([user.get("victim", False) for user in users], [True, False])
        self.assertEqual(event["oom"]["victims"][0].get("rank"), 1)

    def test_users_have_their_command_lines_where_proc_does_not_show_them(self):
        # A pid namespace of its own: what /proc shows are other processes' numbers.
        agent = Agent(self, Scratch(self),
                      prefix=("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")).wait_ready()

        # Both sleep, that is their exec is over, before the third is killed.
        script = ("sleep 1000 & one=$!; (sleep 1001; :) & two=$!; "
                  'until grep -q "(sleep) S" /proc/$one/stat; do :; done; '
                  'until grep -q "(sleep) S" /proc/$(echo $(cat /proc/$two/task/$two/children))/stat; do :; done; '
                  "exec tail /dev/zero")
        truth = memhog("run", "--limit", "32Mi", "--", "sh", "-c", script)

        def named():
            events = wait_for_events(truth, 1, local=agent.socket)
            users = [(user["comm"], user.get("cmdline", "")) for user in events[0]["oom"]["top_users"]]
            return users if all(cmdline for _, cmdline in users) else None
        users = eventually(named, why="a command line of every user")
        self.assertIn(("tail", "tail /dev/zero"), users)
        self.assertIn(("sleep", "sleep 1000"), users)  # by exec
        self.assertIn(("sh", f"sh -c {script}"), users)  # by fork

    def test_kernel_memory_kills_tell_what_the_trigger_was_doing(self):
        for scenario, activity in (("tasks", "ACTIVITY_FORK"), ("socket", "ACTIVITY_SOCKET")):
            with self.subTest(scenario):
                event, _, _ = self.played(scenario, "--limit", "32Mi")
                trigger = event["oom"]["trigger"]
                if trigger.get("kernel_stack", [{}])[0].get("symbol"):
                    self.assertEqual(trigger.get("activity"), activity, trigger)

    def test_a_child_that_dies_is_reported_with_its_living_parent(self):
        event, truth, process = self.played("child", "--limit", "64Mi")

        victim = event["oom"]["victims"][0]
        parent = next(p for p in truth["processes"] if p["role"] == "parent")
        self.assertEqual(victim["tgid"], process["pid"])
        self.assertEqual((victim["parent_tgid"], victim["parent_comm"]), (parent["pid"], "parent"))

    def test_a_victim_on_another_cpu_than_its_trigger_has_its_command_line(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) < 2:
            self.skipTest("one CPU")
        ready = Scratch(self).file("ready")
        spin = f'x = bytearray(40 << 20); open("{ready}", "w")\nwhile True: pass'
        ask = f'import os\nwhile not os.path.exists("{ready}"): pass\nx = bytearray(40 << 20)'
        truth = memhog("run", "--limit", "64Mi", "--", "sh", "-c",
                       f"taskset -c {cpus[0]} /usr/bin/python3 -c '{ask}' &"
                       "echo 1000 >/proc/self/oom_score_adj;"
                       f"exec taskset -c {cpus[1]} /usr/bin/python3 -c '{spin}'")

        event, = wait_for_events(truth, 1, local=self.agent.socket)
        event = wait_for_final(event["event_id"], local=self.agent.socket)

        self.assertIn("bytearray(40", event["oom"]["victims"][0]["cmdline"])
        self.assertNotEqual(event["oom"]["trigger"]["tgid"], event["oom"]["victims"][0]["tgid"])

    def test_a_mark_on_a_process_that_dies_already_is_no_kill(self):
        pid_file = Scratch(self).file("pid")
        # It was sent SIGKILL and is stopped in its exit: it still has its memory, and the kernel takes it.
        dying = ("import os, signal\n"
                 f'open("{pid_file}", "w").write(str(os.getpid()))\n'
                 'open("/proc/self/oom_score_adj", "w").write("1000")\n'
                 "x = bytearray(40 << 20)\n"
                 "os.kill(os.getpid(), signal.SIGKILL)")
        ask = ("import os, signal, subprocess, sys\n"
               "held = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)\n"
               'assert held.stdout.readline() == b"held\\n"\n'
               "x = bytearray(40 << 20)\n"
               "held.kill()\n"
               "held.wait()\n"
               "os.kill(os.getpid(), signal.SIGKILL)")  # the end that memhog expects of its command
        truth = memhog("run", "--limit", "64Mi", "--", "/usr/bin/python3", "-c", ask,
                       binary("held-exit"), "-", "/usr/bin/python3", "-c", dying, timeout=60)
        with open(pid_file, encoding="ascii") as file:
            pid = int(file.read())

        def told():
            answer = oombox("list", "--kind", "no_kill", "-o", "jsonl", local=self.agent.socket)
            events = [json.loads(line) for line in answer.stdout.splitlines()]
            return [e for e in events if e["no_kill"]["process"]["tgid"] == pid]
        event, = eventually(told, why="the event of the mark")
        self.assertEqual(event["no_kill"]["kind"], "KIND_ALREADY_DYING")
        self.assertEqual(truth["cgroups"][0]["oom_kill_after"], 0)
        self.assertEqual(events_of([truth["cgroups"][0]["path"]], local=self.agent.socket), [])

    def test_a_process_over_its_cpu_time_is_no_victim_and_hides_none(self):
        subprocess.run(["sh", "-c", "ulimit -t 1; while :; do :; done"], check=False,
                       stderr=subprocess.DEVNULL)

        self.played("grow", "--limit", "32Mi")


class StormTest(unittest.TestCase):
    def setUp(self):
        self.agent = Agent(self, Scratch(self)).wait_ready()

    def test_a_hundred_kills_are_a_hundred_events_each_once(self):
        truth = memhog("storm", "--kills", "100", "--same-cgroup", "--limit", "8Mi")
        cgroup = truth["cgroups"][0]["path"]

        wait_for_events(truth, 100, local=self.agent.socket)

        events = events_of([cgroup], local=self.agent.socket)
        self.assertEqual(len(events), 100)
        self.assertEqual(len({event["event_id"] for event in events}), 100)
        self.assertEqual(sorted(e["oom"]["victims"][0]["tgid"] for e in events),
                         sorted(p["pid"] for p in truth["processes"]))
        self.assertEqual(truth["cgroups"][0]["oom_kill_after"], 100)
        status = oombox("status", local=self.agent.socket)
        self.assertEqual(status.returncode, 0, status.stdout + status.stderr)

    def test_sigkill_to_a_containers_init_is_told_apart_from_an_oom(self):
        done = subprocess.Popen(["unshare", "--pid", "--fork", "sleep", "1000"])
        self.addCleanup(done.wait)
        self.addCleanup(done.kill)
        children = pathlib.Path(f"/proc/{done.pid}/task/{done.pid}/children")
        init = int(eventually(children.read_text, why="the first process"))

        os.kill(init, signal.SIGKILL)

        def told():
            answer = oombox("list", "--kind", "no_kill", "-o", "jsonl", local=self.agent.socket)
            events = [json.loads(line) for line in answer.stdout.splitlines()]
            return [e for e in events if e["no_kill"]["process"]["tgid"] == init]
        event, = eventually(told, why="the event of the SIGKILL")
        self.assertEqual(event["no_kill"]["kind"], "KIND_INIT_KILLED")
        self.assertEqual(event["no_kill"]["process"]["namespace_pid"], 1)
        own = own_memory_cgroup().rstrip("/")
        self.assertEqual(event["no_kill"]["process"].get("cgroup_tail", ""),
                         "/".join(own.split("/")[-2:]).lstrip("/"))
        self.assertEqual(event["no_kill"]["sender"]["tgid"], os.getpid())
        done = oombox("explain", event["event_id"], local=self.agent.socket)
        self.assertIn("no OOM", done.stdout)
        self.assertNotIn(event["event_id"], oombox("list", "-o", "jsonl", local=self.agent.socket).stdout)

    def test_repeated_kills_of_one_workload_are_folded(self):
        truth = memhog("storm", "--kills", "3", "--same-cgroup", "--limit", "8Mi")
        wait_for_events(truth, 3, local=self.agent.socket)

        done = oombox("list", "--cgroup", truth["cgroups"][0]["path"], local=self.agent.socket)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("×3", done.stdout)


HOSTILE = {
    "escape sequence": "\\x1b]0;owned\\x07",
    "newline and tab": "a\\nb\\tc",
    "invalid UTF-8": "\\xff\\xfe\\xc3(",
    "truncated character": "abcdefghijklm\\xe2\\x82",
    "backslash": "C:\\\\x41\\\\",
    "quotes": "\\x22'`$(id)",
    "right-to-left override": "a\\xe2\\x80\\xaeb",
    "C1 control": "\\xc2\\x9b31m",
    "closing bracket": "a) R 1 (b",
    "valid UTF-8": "\\xc3\\xa9\\xe2\\x82\\xac",
}


class HostileNameTest(unittest.TestCase):
    """Names that a victim chose must not break a terminal, JSON or the store."""

    def setUp(self):
        self.agent = Agent(self, Scratch(self)).wait_ready()

    def test_a_hostile_name_is_escaped_everywhere(self):
        for kind, comm in HOSTILE.items():
            with self.subTest(kind):
                truth = memhog("grow", "--limit", "8Mi", "--comm", comm)
                event, = wait_for_events(truth, 1, local=self.agent.socket)
                shown = escape_untrusted(bytes.fromhex(truth["processes"][0]["comm_hex"]))
                self.assertEqual(event["oom"]["victims"][0]["comm"], shown)
                self.check_outputs(event["event_id"])

    def check_outputs(self, reference):
        for argv in (("explain", reference), ("get", reference), ("get", reference, "-o", "json"),
                     ("get", reference, "-o", "yaml"), ("list",), ("list", "-o", "compact"),
                     ("list", "-o", "json"), ("list", "-o", "jsonl")):
            done = oombox(*argv, local=self.agent.socket)
            self.assertEqual(done.returncode, 0, f"{argv}: {done.stderr}")
            self.assertTrue(all(is_printable(line) for line in done.stdout.split("\n")),
                            f"{argv} prints control characters: {done.stdout!r}")
        json.loads(oombox("get", reference, "-o", "json", local=self.agent.socket).stdout)

    def test_a_name_with_quotes_can_be_filtered_by(self):
        truth = memhog("grow", "--limit", "8Mi", "--comm", "\\x22; x = '*")
        event, = wait_for_events(truth, 1, local=self.agent.socket)

        found = list_events("--comm", "\"; x = '*", local=self.agent.socket)

        self.assertIn(event["event_id"], [e["event_id"] for e in found])


class ReadingTest(unittest.TestCase):
    """The ways to ask for an event."""

    def setUp(self):
        self.agent = Agent(self, Scratch(self)).wait_ready()
        truth = memhog("grow", "--limit", "8Mi")
        self.event, = wait_for_events(truth, 1, local=self.agent.socket)

    def ask(self, *argv, **more):
        return oombox(*argv, local=self.agent.socket, **more)

    def test_a_unique_prefix_names_the_event(self):
        done = self.ask("get", self.event["event_id"][:12], "-o", "json")

        self.assertEqual(parse_events(done.stdout)[0]["event_id"], self.event["event_id"])

    def test_an_unknown_reference_exits_with_5(self):
        done = self.ask("get", "zzzzzzzzzzzzzzzz")

        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_explain_says_which_limit_was_hit_and_who_held_the_memory(self):
        done = self.ask("explain", self.event["event_id"])

        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("VERDICT", "limit", "8 MiB", "WHO", "memhog"):
            self.assertIn(word, done.stdout)
        self.assertTrue(all(len(line) <= 100 for line in done.stdout.splitlines()), done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_a_saved_event_can_be_explained_without_a_server(self):
        saved = self.ask("get", self.event["event_id"], "-o", "json").stdout

        done = oombox("explain", "-f", "-", stdin=saved)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("VERDICT", done.stdout)

    def test_a_filter_that_makes_no_sense_says_where(self):
        done = self.ask("list", "--since", "yesterdayish")

        self.assertEqual(done.returncode, 2)
        self.assertIn("yesterdayish", done.stderr)


if __name__ == "__main__":
    unittest.main()
