"""The kernel's own report of an OOM kill, parsed from its log."""

import dataclasses
import errno
import os
import re

from lib.text import unescape_kmsg

KILLED = re.compile(
    r"Killed process (?P<pid>\d+) \((?P<comm>.*)\) total-vm:(?P<total_vm>\d+)kB, "
    r"anon-rss:(?P<anon>\d+)kB, file-rss:(?P<file>\d+)kB, shmem-rss:(?P<shmem>\d+)kB, "
    r"UID:(?P<uid>\d+) pgtables:(?P<pgtables>\d+)kB oom_score_adj:(?P<adj>-?\d+)")
INVOKED = re.compile(
    r"^(?P<comm>.*) invoked oom-killer: gfp_mask=(?P<gfp>0x[0-9a-f]+)\((?P<flags>[^)]*)\).*"
    r"order=(?P<order>-?\d+)")
CPU = re.compile(r"^CPU: \d+ .*?PID: (?P<pid>\d+) Comm: ")
MEMORY = re.compile(r"^memory: usage (?P<usage>\d+)kB, limit (?P<limit>\d+)kB")
OOM_KILL = re.compile(
    r"^oom-kill:constraint=(?P<constraint>\w+),.*?(?:oom_memcg=(?P<oom_memcg>.*)|global_oom),"
    r"task_memcg=(?P<task_memcg>.*),task=(?P<task>.*),pid=(?P<pid>\d+),uid=(?P<uid>\d+)$")
STAT = re.compile(r"^(?P<name>[a-z_0-9]+) (?P<value>\d+)$")
TASK_HEADER = re.compile(r"^\[  pid  \] +(?P<columns>.*)$")
TASK_ROW = re.compile(r"^\[ *(?P<pid>\d+)\] *(?P<values>.*)$")


@dataclasses.dataclass
class Kill:
    """One "Killed process" line; sizes in bytes."""
    pid: int
    comm: bytes
    total_vm: int
    anon: int
    file: int
    shmem: int
    uid: int
    page_tables: int
    oom_score_adj: int
    report: "Report | None" = None


@dataclasses.dataclass
class Report:
    """What the kernel printed before the kill; it prints it ten times in 5 s at most."""
    trigger_comm: str
    gfp: int
    gfp_flags: str
    order: int
    trigger_pid: "int | None" = None
    usage: "int | None" = None
    limit: "int | None" = None
    constraint: "str | None" = None
    oom_memcg: "str | None" = None
    task_memcg: "str | None" = None
    victim_pid: "int | None" = None
    tasks: "list | None" = None
    columns: "list | None" = None
    stat: dict = dataclasses.field(default_factory=dict)  # memory.stat, v2 only


def _kill(match):
    kib = {name: int(match[name]) * 1024
           for name in ("total_vm", "anon", "file", "shmem", "pgtables")}
    return Kill(pid=int(match["pid"]), comm=unescape_kmsg(match["comm"]), total_vm=kib["total_vm"],
                anon=kib["anon"], file=kib["file"], shmem=kib["shmem"], uid=int(match["uid"]),
                page_tables=kib["pgtables"], oom_score_adj=int(match["adj"]))


def _task(report, match):
    # Every column but the last is a number; the name may hold spaces.
    values = match["values"].split(None, len(report.columns) - 1)
    row = {"pid": int(match["pid"])}
    for column, value in zip(report.columns, values):
        row[column] = unescape_kmsg(value) if column == "name" else int(value)
    row.setdefault("name", b"")
    return row


def _feed(report, text):
    """Adds one line to an open report."""
    if match := CPU.match(text):
        report.trigger_pid = int(match["pid"])
    elif match := MEMORY.match(text):
        report.usage = int(match["usage"]) * 1024
        report.limit = int(match["limit"]) * 1024
    elif match := TASK_HEADER.match(text):
        report.columns = match["columns"].split()
        report.tasks = []
    elif match := OOM_KILL.match(text):
        report.constraint = match["constraint"]
        report.oom_memcg = match["oom_memcg"]
        report.task_memcg = match["task_memcg"]
        report.victim_pid = int(match["pid"])
    elif report.tasks is None and (match := STAT.match(text)):
        report.stat[match["name"]] = int(match["value"])
    elif report.columns and (match := TASK_ROW.match(text)):
        report.tasks.append(_task(report, match))


def _is_of(report, pid):
    """It names the group leader; when that has exited, the kill is a thread's."""
    return report.victim_pid == pid or any(
        row["pid"] == pid and row["tgid"] == report.victim_pid for row in report.tasks or [])


def parse(lines):
    """All kills in the lines of a kernel log, each with its report where the kernel printed one."""
    kills = []
    report = None
    for text in lines:
        if match := INVOKED.match(text):
            report = Report(match["comm"], int(match["gfp"], 16), match["flags"],
                            int(match["order"]))
        elif match := KILLED.search(text):
            kill = _kill(match)
            if report and _is_of(report, kill.pid):
                kill.report = report
            report = None
            kills.append(kill)
        elif report:
            _feed(report, text)
    return kills


class KernelLog:
    """Lines the kernel logs from the making of this object on. Needs the right to read /dev/kmsg."""

    def __init__(self):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._fd, 0, os.SEEK_END)
        self._lines = []

    def close(self):
        os.close(self._fd)

    def lines(self):
        while True:
            try:
                record = os.read(self._fd, 8192).decode("ascii", "replace")
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return self._lines
                if error.errno == errno.EPIPE:  # overwritten: go on at the oldest that is left
                    continue
                raise
            self._lines.append(record.partition(";")[2].partition("\n")[0])

    def kill_of(self, pid):
        """The newest kill of `pid`, None when the log has none."""
        return next((kill for kill in reversed(parse(self.lines())) if kill.pid == pid), None)
