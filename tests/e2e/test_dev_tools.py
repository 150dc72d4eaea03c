"""tools/dev: what was skipped is told, and a skip that needs no skipping is a failure."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

SKIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/dev/skipped.py")


def case(name, output, skipped):
    mark = '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>' if skipped else ""
    return (f'<testcase name="{name}" status="{"notrun" if skipped else "run"}">{mark}'
            f"<system-out>{output}</system-out></testcase>")


class SkippedTest(unittest.TestCase):
    def run_on(self, cases, labels):
        with tempfile.TemporaryDirectory() as folder:
            junit, tests = os.path.join(folder, "j.xml"), os.path.join(folder, "t.json")
            with open(junit, "w", encoding="utf-8") as file:
                file.write(f"<testsuite>{''.join(cases)}</testsuite>")
            listed = [{"name": name, "properties": [{"name": "LABELS", "value": value}]}
                      for name, value in labels.items()]
            with open(tests, "w", encoding="utf-8") as file:
                json.dump({"tests": listed}, file)
            # With an empty PATH neither qemu nor npm is found.
            return subprocess.run([sys.executable, SKIPPED, junit, tests], capture_output=True,
                                  text=True, env={"PATH": ""}, check=False)

    def test_a_skip_for_want_of_something_is_told_and_forgiven(self):
        done = self.run_on([case("g", "x\nOOMBOX-SKIP: no qemu\ny", True)], {"g": ["guest"]})

        self.assertEqual((done.returncode, done.stdout), (0, "skipped: g [guest]: no qemu\n"))

    def test_a_skip_that_could_have_run_fails(self):
        done = self.run_on([case("u", "OOMBOX-SKIP: lazy", True)], {"u": ["unit"]})

        self.assertEqual(done.returncode, 1)
        self.assertIn("could have run: u [unit]: lazy", done.stdout)

    def test_a_test_that_ran_is_not_mentioned(self):
        done = self.run_on([case("u", "fine", False)], {"u": ["unit"]})

        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
