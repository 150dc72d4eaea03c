"""The comparison itself: it accepts an event that is right and notices every wrong number."""

import copy
import unittest

from lib import compare
from lib.events import normalize, parse_events
from lib.kernel_report import parse
from test_kernel_report import LINUX_6_18

PAGE = 4096
TRUTH = {
    "scenario": "grow", "page_bytes": PAGE, "ticks_per_second": 100,
    "start": {"boottime_ns": 1000}, "end": {"boottime_ns": 3 * 10**9},
    "cgroups": [{"path": "/a/memhog-11385", "id": 77, "limit_bytes": 8192 << 10,
                 "oom_kill_before": 3, "oom_kill_after": 4}],
    "processes": [{"role": "hog", "pid": 11386, "tgid": 11386, "parent_pid": 11384,
                   "namespace_pid": 1, "comm_hex": "1b5b324a0a", "uid": 0, "oom_score_adj": 500,
                   "start_ticks": 123, "cgroup_id": 77, "touched_bytes": 8320 << 10,
                   "sigkilled": True}],
}


def memory(anon, file, total_vm, page_tables, swap=0):
    return {"anon_bytes": anon, "file_bytes": file, "shmem_bytes": 0, "swap_bytes": swap,
            "page_tables_bytes": page_tables, "total_vm_bytes": total_vm}


HOG_MEMORY = memory(8320 << 10, 1404 << 10, 15144 << 10, 68 << 10)
EVENT = {
    "event_id": "0123456789abcdef", "revision": 1, "boottime_ns": 2 * 10**9,
    "oom": {
        "trigger": {"tid": 11386},
        "victims_total": 1,
        "victims": [{
            "tgid": 11386, "tid": 11386, "namespace_pid": 1, "parent_tgid": 11384,
            "comm": "\\x1b[2J\\x0a", "start_boottime_ns": 1235 * 10**6, "oom_score_adj": 500,
            "container_init": True, "parents": [{"tgid": 11384, "comm": "memhog"}],
            "exe": "memhog", "cgroup_id": 77, "role": "VICTIM_ROLE_CHOSEN",
            "killed_boottime_ns": 2 * 10**9, "memory": HOG_MEMORY}],
        "limit_hit": {"cgroup_path": "/a/memhog-11385", "cgroup_id": 77, "level": 0,
                      "limit_bytes": 8192 << 10, "usage_bytes": 8192 << 10,
                      "provenance": "PROVENANCE_AT_KILL"},
        "decision": {"source": "SOURCE_KERNEL_STACK", "constraint": "CONSTRAINT_MEMCG",
                     "gfp_mask": 0xcc0, "gfp_flags": "GFP_KERNEL", "order": 0},
        "cgroups": [{"path": "/a/memhog-11385", "id": 77, "max_bytes": 8192 << 10,
                     "local_events": {"oom_kill": 4}},
                    {"path": "/a", "id": 5}, {"path": "/", "id": 1}],
        "ranking": {"processes_visited": 2},
        "top_users": [
            {"tgid": 11386, "comm": "\\x1b[2J\\x0a", "oom_score_adj": 500, "victim": True,
             "memory": {**HOG_MEMORY, "anon_bytes": 2080 * PAGE, "file_bytes": 351 * PAGE,
                        "total_vm_bytes": 3786 * PAGE, "page_tables_bytes": 69632}},
            {"tgid": 11385, "comm": "neigh bour", "uid": 7, "oom_score_adj": 0, "victim": False,
             "memory": memory(500 * PAGE, 400 * PAGE, 2786 * PAGE, 61440, 2 * PAGE)}],
    },
}


def differences(event):
    kill, = parse(LINUX_6_18)
    inodes = {"/a": 5, "/": 1}
    return compare.everything(event, kill, TRUTH, TRUTH["processes"][0], inodes.get)


def leaves(value, path=()):
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, key))
    else:
        yield path


def changed(event, path):
    event = copy.deepcopy(event)
    place = event
    for key in path[:-1]:
        place = place[key]
    value = place[path[-1]]
    if isinstance(value, bool):
        place[path[-1]] = not value
    else:
        place[path[-1]] = value + "?" if isinstance(value, str) else value + 10**10
    return event


class CompareTest(unittest.TestCase):
    def test_a_right_event_has_no_differences(self):
        self.assertEqual(differences(EVENT), [])

    def test_every_wrong_value_is_noticed(self):
        # A higher revision is as good, and nobody else tells of swap and of a parent's name.
        free = {("revision",), ("oom", "victims", 0, "memory", "swap_bytes"),
                ("oom", "victims", 0, "parents", 0, "comm")}
        for path in leaves(EVENT):
            if path not in free:
                with self.subTest(path=path):
                    self.assertNotEqual(differences(changed(EVENT, path)), [])

    def test_a_ranking_may_be_cut_after_its_first_steps_only(self):
        event = copy.deepcopy(EVENT)
        event["oom"]["ranking"] = {"processes_visited": 1, "threads_visited": 40, "truncated": True}
        del event["oom"]["top_users"][1]
        self.assertEqual(differences(event), [])
        event["oom"]["ranking"]["threads_visited"] = 3
        self.assertNotEqual(differences(event), [])

    def test_a_victim_that_grew_since_the_table_is_as_the_kernels_line_says(self):
        event = copy.deepcopy(EVENT)
        kill, = parse(LINUX_6_18)
        row, = (row for row in kill.report.tasks if row["pid"] == kill.pid)
        for column in ("rss", "rss_anon"):
            if column in row:
                row[column] -= 16
        self.assertEqual([], list(compare.ranking_against_kernel(event["oom"], kill, PAGE)))
        event["oom"]["top_users"][0]["memory"]["anon_bytes"] += PAGE
        self.assertNotEqual([], list(compare.ranking_against_kernel(event["oom"], kill, PAGE)))

    def test_a_missing_user_is_noticed(self):
        event = copy.deepcopy(EVENT)
        del event["oom"]["top_users"][1]
        self.assertNotEqual(differences(event), [])

    def test_threads_that_are_gone_explain_less_kernel_memory_and_nothing_else(self):
        report = parse(LINUX_6_18)[0].report
        report.stat = {"kernel_stack": 64 << 10, "anon": 4096}
        fewer = {"path": "/a", "stat": {"kernel_stack_bytes": 48 << 10, "anon_bytes": 4096}}
        more = {"path": "/a", "stat": {"kernel_stack_bytes": 80 << 10, "anon_bytes": 4096}}

        self.assertEqual([], list(compare.stat_against_kernel(fewer, report, gone=32 << 10)))
        self.assertEqual(1, len(list(compare.stat_against_kernel(fewer, report))))
        self.assertEqual(1, len(list(compare.stat_against_kernel(more, report, gone=32 << 10))))
        self.assertEqual(1, len(list(compare.stat_against_kernel(fewer, report, gone=8 << 10))))
        less_anon = {"path": "/a", "stat": {"kernel_stack_bytes": 64 << 10, "anon_bytes": 0}}
        self.assertEqual(1, len(list(compare.stat_against_kernel(less_anon, report, gone=32 << 10))))

    def test_what_the_kernel_may_have_moved_meanwhile_is_told_apart(self):
        report = parse(LINUX_6_18)[0].report
        report.stat = {"slab_unreclaimable": 64 << 10}
        found, = compare.stat_against_kernel({"path": "/a", "stat": {"slab_unreclaimable_bytes": 60 << 10}}, report)
        self.assertIsInstance(found, compare.MovedMeanwhile)
        event = copy.deepcopy(EVENT)
        event["oom"]["trigger"]["tid"] += 1
        found, = differences(event)
        self.assertNotIsInstance(found, compare.MovedMeanwhile)

    def test_only_company_adds_to_the_victims_memory_and_never_takes(self):
        kill, = parse(LINUX_6_18)

        def difference(anon, **more):
            found, = compare.victim_against_kernel({**EVENT["oom"]["victims"][0], **more,
                                                    "memory": {**HOG_MEMORY, "anon_bytes": anon}}, kill)
            return found
        self.assertIsInstance(difference(kill.anon - PAGE, threads=2), compare.MovedMeanwhile)
        self.assertNotIsInstance(difference(kill.anon - PAGE), compare.MovedMeanwhile)
        self.assertNotIsInstance(difference(kill.anon + PAGE, threads=2), compare.MovedMeanwhile)


class EventJsonTest(unittest.TestCase):
    def test_64_bit_numbers_and_names_are_normalized(self):
        event = normalize({"eventId": "0123456789012345", "oom": {
            "limitHit": {"cgroupId": "7", "limitBytes": "18446744073709551615"},
            "cgroups": [{"id": "9", "path": "/1"}], "victims": [{"comm": "123"}]}})

        self.assertEqual(event["event_id"], "0123456789012345")
        self.assertEqual(event["oom"]["limit_hit"], {"cgroup_id": 7, "limit_bytes": 2**64 - 1})
        self.assertEqual(event["oom"]["cgroups"], [{"id": 9, "path": "/1"}])
        self.assertEqual(event["oom"]["victims"], [{"comm": "123"}])

    def test_lines_lists_and_answers_are_read_alike(self):
        one = {"eventId": "a"}
        for text in ('{"eventId":"a"}\n', '[{"eventId":"a"}]', '{"events":[{"eventId":"a"}]}',
                     '{"event":{"eventId":"a"}}'):
            self.assertEqual(parse_events(text), [normalize(one)])
        self.assertEqual(len(parse_events('{"eventId":"a"}\n{"eventId":"b"}\n')), 2)
        self.assertEqual(parse_events(""), [])


if __name__ == "__main__":
    unittest.main()
