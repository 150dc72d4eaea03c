"""Runs one test file: exit 0 when it passed, 1 when something failed, 77 when everything was skipped.

A skip never hides a failure: it counts only when nothing ran at all.
"""

import sys
import unittest

SKIPPED = 77


def main(name):
    sys.path.insert(0, ".")
    suite = unittest.defaultTestLoader.loadTestsFromName(name.removesuffix(".py"))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful():
        return 1
    if result.skipped:
        for case, reason in result.skipped:
            print(f"skipped: {case}: {reason}", flush=True)
    ran = result.testsRun - len(result.skipped)
    return SKIPPED if result.skipped and ran <= 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
