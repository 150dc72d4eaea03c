"""deploy/monitoring: the alert rules fire when they should, and both files name metrics that exist."""

import json
import os
import re
import shutil
import subprocess
import unittest

import yaml
from lib.programs import Scratch
from lib.promtool import Unavailable, promtool

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MONITORING = os.path.join(ROOT, "deploy", "monitoring")
HISTOGRAM_PARTS = r"_(bucket|sum|count)$"


def documented():
    """Names in the tables of docs/operations.md, which the unit tests compare with the code."""
    with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
        return set(re.findall(r"^\| `([a-z_0-9]+)` \| (?:gauge|counter|histogram)", file.read(), re.M))


def alerts():
    with open(os.path.join(MONITORING, "alerts.yaml"), encoding="utf-8") as file:
        return [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]


def dashboard_queries():
    """As Prometheus gets them: the variables stand for all."""
    with open(os.path.join(MONITORING, "dashboard.json"), encoding="utf-8") as file:
        panels = json.load(file)["panels"]
    return [re.sub(r"\$[a-z]+", ".*", target["expr"])
            for panel in panels for target in panel.get("targets", [])]


class MonitoringTest(unittest.TestCase):
    def check(self, *argv, cwd):
        try:
            program = promtool()
        except Unavailable as reason:
            self.skipTest(f"no promtool: {reason}")
        done = subprocess.run([program, *argv], cwd=cwd, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_rule_fires_when_it_should_and_not_before(self):
        folder = Scratch(self).path
        shutil.copy(os.path.join(MONITORING, "alerts.yaml"), folder)
        shutil.copy(os.path.join(HERE, "monitoring", "alerts_test.yaml"), folder)
        self.check("test", "rules", "alerts_test.yaml", cwd=folder)
        with open(os.path.join(folder, "alerts_test.yaml"), encoding="utf-8") as file:
            plays = [play for test in yaml.safe_load(file)["tests"] for play in test["alert_rule_test"]]
        self.assertEqual({play["alertname"] for play in plays if play.get("exp_alerts")},
                         {rule["alert"] for rule in alerts()}, "rules that no test sees fire")

    def test_prometheus_understands_the_dashboard(self):
        folder = Scratch(self).path
        rules = [{"record": f"panel:query:{i}", "expr": query}
                 for i, query in enumerate(dashboard_queries())]
        with open(os.path.join(folder, "queries.yaml"), "w", encoding="utf-8") as out:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, out)
        self.check("check", "rules", "queries.yaml", cwd=folder)

    def test_both_name_metrics_that_exist(self):
        known = documented()
        self.assertIn("oombox_memory_usage_bytes", known)
        queries = [rule["expr"] for rule in alerts()] + dashboard_queries()
        named = {name for query in queries for name in re.findall(r"\b(?:oombox|process)_\w+", query)}
        named = {re.sub(HISTOGRAM_PARTS, "", name) for name in named if name not in known}
        self.assertEqual(named - known, set())


if __name__ == "__main__":
    unittest.main()
