#!/usr/bin/env python3
"""Prints which tests were skipped and why; exits 1 when one could have run on this machine.

Usage: skipped.py JUNIT TESTS: what ctest wrote with --output-junit and --show-only=json-v1.
"""

import json
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/e2e"))
from lib.machine import obstacle_to_real_kills  # noqa: E402 (the tests' own condition)

REASON = re.compile(r"OOMBOX-SKIP:?\s*(.*)")


# What no machine can help: the packages a test downloads once are out of reach.
OUT_OF_REACH = re.compile(r"cannot be reached|not reachable|cannot be downloaded")


def can_run(label):
    """What a label needs is here. Labels that need nothing special can always run."""
    if label == "kernel":
        return obstacle_to_real_kills() is None
    if label == "guest":
        return shutil.which("qemu-system-x86_64") is not None
    if label == "npm":
        return shutil.which("npm") is not None
    return True


def labels_of(tests):
    """name -> labels of every test."""
    with open(tests, encoding="utf-8") as file:
        listed = json.load(file)["tests"]
    return {test["name"]: next((p["value"] for p in test.get("properties", [])
                                if p["name"] == "LABELS"), []) for test in listed}


def skipped_tests(junit):
    """(name, reason) of every test that did not run."""
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None:
            found = REASON.search(case.findtext("system-out") or "")
            yield case.get("name"), found[1] if found else skipped.get("message", "no reason given")


def main(junit, tests):
    """Exit code."""
    guilty = False
    labels_by_name = labels_of(tests)
    for name, reason in skipped_tests(junit):
        labels = labels_by_name.get(name, [])
        possible = not OUT_OF_REACH.search(reason) and all(can_run(label) for label in labels)
        guilty = guilty or possible
        print(f"skipped{', but could have run' if possible else ''}: "
              f"{name} [{', '.join(labels)}]: {reason}")
    return 1 if guilty else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
