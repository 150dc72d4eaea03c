#!/usr/bin/python3
"""Measures what the design budgets for the collector, and prints it as a section of docs/benchmarks.md.

    OOMBOX_BIN=build/release/bin OOMBOX_BENCH=build/release/bench tests/bench/collector.py

Needs nothing but loopback and 10 GiB of disk. Simulated agents and the collector share the machine, so the
collector alone can do more than the numbers say.
"""
import json
import os
import subprocess
import sys

STORED_EVENTS = 1_000_000
LEAST_RATE = 3000  # durable events a second: the design's budget
LISTS = {
    "list_newest": "BASIC list page, newest 100",
    "list_from_the_middle": "the same, from the middle",
    "list_one_workload": "with `workload = …`, 1 in 997",
    "list_one_node": "with `node = …`, 1 in 1000",
    "list_rare_comm": "with `comm = …`, 1 in 1000",
    "list_old_pod": "with `cgroup : …`, one event, long ago: all of the store is searched",
}


def fleet():
    """One dictionary a phase."""
    done = subprocess.run(
        [os.path.join(os.environ["OOMBOX_BENCH"], "fleet_bench"),
         "--collector=" + os.path.join(os.environ["OOMBOX_BIN"], "oombox-collector"), f"--rate={LEAST_RATE}",
         *sys.argv[1:]],
        stdout=subprocess.PIPE, text=True, check=True)
    phases = [json.loads(line) for line in done.stdout.splitlines()]
    return {phase["phase"]: phase for phase in phases}


def lists():
    """Milliseconds by benchmark name."""
    done = subprocess.run(
        [os.path.join(os.environ["OOMBOX_BIN"], "store_bench"), f"--events={STORED_EVENTS}",
         "--benchmark_filter=list", "--benchmark_format=json"],
        stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout[done.stdout.index("{"):])
    return {row["name"]: row["real_time"] for row in report["benchmarks"]}


def print_section():
    phases, pages = fleet(), lists()
    idle, busy, herd = phases["idle"], phases["throughput"], phases["herd"]
    noisy, check = phases["noisy"], phases["check"]
    agents = idle["agents"]
    print("\n## Collector\n")
    print(f"{agents} simulated agents on the same machine, each with the real uplink and a connection of its own.\n")
    print("| what | measured | budget |\n|---|---|---|")
    print(f"| durable events acknowledged, in groups | {busy['events_per_second']} a second "
          f"({busy['events']} events) | ≥ 3 000 |")
    print(f"| {agents} agents connected, a report each per 10 s | {idle['cpu_percent']} % of a core, "
          f"{idle['rss_mib']} MiB resident | 2 000 connected |")
    print(f"| memory after the burst | {busy['rss_mib']} MiB | |")
    print(f"| one agent with {noisy['events']} events at once: the others' one event each | all acknowledged after "
          f"{noisy['others_seconds']} s, when {noisy['noisy_left_then']} of the noisy one's still waited | |")
    print(f"| collector killed in a burst, away for {herd['down_seconds']} s: all {agents} back | "
          f"{herd['connected_seconds']} s | |")
    print(f"| all {herd['events']} events acknowledged | {herd['acknowledged_seconds']} s, "
          f"{herd['sent_again']} sent a second time | |")
    print(f"| of {check['events']} events in all: lost / stored twice | {check['lost']} / {check['twice']} | 0 / 0 |")
    for name, what in LISTS.items():
        budget = "≤ 50 ms" if name != "list_old_pod" else ""
        print(f"| {STORED_EVENTS} events stored: {what} | {pages[name]:.1f} ms | {budget} |")


if __name__ == "__main__":
    print_section()
