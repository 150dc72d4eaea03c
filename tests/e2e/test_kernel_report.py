"""The parser of the kernel's report, against recorded reports of several kernels."""

import unittest

from lib.kernel_report import parse
from lib.text import escape_untrusted, unescape_kmsg

LINUX_6_18 = r"""
memhog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=500
CPU: 1 UID: 0 PID: 11386 Comm: memhog Not tainted 6.18.44 #1 NONE
Call Trace:
memory: usage 8192kB, limit 8192kB, failcnt 0
memory+swap: usage 8192kB, limit 8192kB, failcnt 0
Memory cgroup stats for /a/memhog-11385:
rss 8364032
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
[  11385]     7 11385     2786      900      500      400         0    61440        2             0 neigh bour
[  11386]     0 11386     3786     2431     2080      351         0    69632        0           500 \x1b[2J\x0a
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a/memhog-11385,task_memcg=/a/memhog-11385,task=\x1b[2J\x0a,pid=11386,uid=0
Memory cgroup out of memory: Killed process 11386 (\x1b[2J\x0a) total-vm:15144kB, anon-rss:8320kB, file-rss:1404kB, shmem-rss:0kB, UID:0 pgtables:68kB oom_score_adj:500
""".strip().splitlines()

LINUX_6_1 = """
hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-5
CPU: 0 PID: 41 Comm: hog Not tainted 6.1.0-56-cloud-amd64 #1  Debian 6.1.192-1
memory: usage 32768kB, limit 32768kB, failcnt 9
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[     41]     0    41     9786     8431    69632        0            -5 hog
oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/x,task_memcg=/x/y,task=hog,pid=41,uid=0
Memory cgroup out of memory: Killed process 41 (hog) total-vm:39144kB, anon-rss:32320kB, file-rss:1404kB, shmem-rss:0kB, UID:0 pgtables:68kB oom_score_adj:-5
""".strip().splitlines()


class KernelReportTest(unittest.TestCase):
    def test_reads_every_number_of_a_report(self):
        kill, = parse(LINUX_6_18)

        self.assertEqual((kill.pid, kill.comm, kill.uid), (11386, b"\x1b[2J\n", 0))
        self.assertEqual((kill.total_vm, kill.anon, kill.file, kill.shmem),
                         (15144 << 10, 8320 << 10, 1404 << 10, 0))
        self.assertEqual((kill.page_tables, kill.oom_score_adj), (68 << 10, 500))
        report = kill.report
        self.assertEqual((report.trigger_pid, report.usage, report.limit),
                         (11386, 8192 << 10, 8192 << 10))
        self.assertEqual((report.oom_memcg, report.task_memcg),
                         ("/a/memhog-11385", "/a/memhog-11385"))

    def test_reads_the_table_of_tasks(self):
        neighbour, hog = parse(LINUX_6_18)[0].report.tasks

        self.assertEqual(neighbour["name"], b"neigh bour")
        self.assertEqual((neighbour["uid"], neighbour["rss_file"], neighbour["swapents"]),
                         (7, 400, 2))
        self.assertEqual(hog["name"], b"\x1b[2J\n")

    def test_reads_tables_without_the_split_of_rss(self):
        kill, = parse(LINUX_6_1)

        self.assertEqual(kill.report.tasks[0]["rss"], 8431)
        self.assertNotIn("rss_anon", kill.report.tasks[0])
        self.assertEqual(kill.report.task_memcg, "/x/y")

    def test_a_kill_whose_report_was_suppressed_has_none(self):
        first, second = parse(LINUX_6_1 + LINUX_6_18[-1:])

        self.assertIsNotNone(first.report)
        self.assertIsNone(second.report)

    def test_a_report_is_never_given_to_another_kill(self):
        kill, = parse(LINUX_6_1[:-1] + LINUX_6_18[-1:])

        self.assertIsNone(kill.report)


class EscapingTest(unittest.TestCase):
    def test_escapes_what_is_not_printable(self):
        for raw, shown in ((b"plain", "plain"), (b"\x1b[2J", "\\x1b[2J"), (b"a\\b", "a\\\\b"),
                           (b"\xff\xc3", "\\xff\\xc3"), ("é".encode(), "é"),
                           ("\u202e".encode(), "\\xe2\\x80\\xae"), (b"\xc2\x85", "\\xc2\\x85")):
            self.assertEqual(escape_untrusted(raw), shown)

    def test_undoes_the_escaping_of_the_kernels_log(self):
        self.assertEqual(unescape_kmsg("a\\x5cx\\xff\\x0a"), b"a\\x\xff\n")


if __name__ == "__main__":
    unittest.main()
