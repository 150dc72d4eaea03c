"""The identity: kernel kills = captured + drops + counted twice + gap, as an agent tells it."""

import json

from lib.programs import eventually, oombox


def report_of(agent):
    done = oombox("status", "-o", "json", local=agent.socket)
    return json.loads(done.stdout)["nodes"][0]["report"]


def accounting_of(report):
    return {key: int(value) for key, value in report["accounting"].items()}


def gaps(**where):
    """Gap events of an agent (local=) or a collector (server=)."""
    done = oombox("list", "--kind", "gap", "-o", "jsonl", **where)
    if done.returncode not in (0, 3):
        raise AssertionError(f"oombox list --kind gap: exit {done.returncode}: {done.stderr}")
    return [json.loads(line)["gap"] for line in done.stdout.splitlines()]


def gaps_of(agent):
    return gaps(local=agent.socket)


def explained(accounting):
    return sum(accounting.get(term, 0) for term in
               ("captured", "dropped_ring_full", "dropped_recursion", "double_counted"))


def settled(agent):
    """The report once every record is an event, and every kill is explained or a gap: the agent
    believes a difference after two looks, 10 s apart."""
    def look():
        report = report_of(agent)
        depths, accounting = report.get("depths", {}), accounting_of(report)
        busy = int(depths.get("ring_bytes", 0)) or int(depths.get("journal_pending", 0))
        open_kills = accounting.get("kernel_kills", 0) - explained(accounting) - accounting.get("gap", 0)
        return None if busy or open_kills else report
    return eventually(look, timeout=40, why="an empty ring and journal, and every kill accounted for")


def assert_balanced(test, report, drops=0):
    """Nothing unexplained. Other kills of this machine are in all the terms."""
    accounting = accounting_of(report)
    test.assertEqual(accounting.get("dropped_ring_full", 0), drops)
    test.assertEqual(accounting.get("gap", 0), 0)
    test.assertEqual(accounting.get("kernel_kills", 0), explained(accounting))
