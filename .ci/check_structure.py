#!/usr/bin/python3
"""Checks the walls of the house (docs/architecture.md): who may include whom, where third-party libraries
are included, how big a file may grow. Prints every breach; exits 1 when there is one."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Directories that every other may include.
EVERYONE = {"agent/common", "agent/model", "bpf", "oombox"}
# Directories of agent/ that tools/ may include, too.
SHARED = {"agent/common", "agent/store", "agent/query", "agent/diagnose"}
# Edges between stages, each with its reason.
ALLOWED = {
    ("agent/capture", "agent/store"),   # it commits to the journal before the ring lets go
    ("agent/event", "agent/store"),     # journal in, events out, in one transaction
    ("agent/uplink", "agent/store"),    # it must re-read what it sends
    ("agent/query", "agent/store"),     # the services are a view of it
    ("agent/query", "agent/diagnose"),  # ExplainEvent
}
# Third-party headers and the only places that may include them.
LIBRARIES = {
    r"<grpc": {"agent/common/credentials", "agent/identity/cri_client", "agent/query", "agent/uplink", "tools/collector",
               "tools/oombox", "tests"},
    r'"oombox/v1/\w+\.grpc\.pb\.h"': {"agent/query", "agent/uplink", "tools/collector", "tools/oombox",
                                      "tests"},
    r'"runtime/v1/api\.grpc': {"agent/identity/cri_client", "tests"},
    r"<SQLiteCpp|<sqlite3": {"agent/store", "tests"},
    r"<bpf/(bpf\.h|libbpf|btf)": {"agent/bpf_loader", "tests"},
    r'"bpf/\w+\.skel\.h"': {"agent/bpf_loader"},
    r'"bpf/oombox_(abi|pinned)\.h"': {"bpf", "agent/bpf_loader", "agent/capture", "agent/attachment_base", "agent/match_journal", "tests"},
    r"<CLI/": {"agent/common", "tools/oombox", "tools/memhog"},
    r"<cap-ng": {"agent/privileges"},
    r"<openssl/": {"agent/event", "agent/store", "agent/query", "tests"},
    r"<libsmartcols": {"tools/oombox/render"},
    # The port is in agent/common; each daemon has one file that makes metric families.
    r"<prometheus/": {"agent/common/metric", "agent/node_metrics", "tools/collector/collector_metrics",
                      "tests"},
}
LINES = {".cc": 400, ".h": 150, ".c": 400}
TOP = {"CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "README.md",
       ".ci", ".clang-format", ".clang-tidy", ".gitignore", "agent", "bpf", "cmake", "deploy", "docs",
       "proto", "tests", "tools"}


def stage(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def check_edge(path, include):
    """An include of ours, from `path`."""
    source, target = stage(path), stage(include)
    if target == source or path.startswith("tests/"):
        return None
    if target.startswith("tests"):
        return f"{path}: product code includes {include}"
    if target in EVERYONE or (source.startswith("tools") and target in SHARED):
        return None
    if source == "agent" and target.startswith("agent"):  # the composition root sees all
        return None
    if path.startswith("bpf/") and include.startswith("bpf/"):
        return None
    if (source, target) in ALLOWED:
        return None
    return f"{path}: {source} may not include {target} ({include})"


def check_file(path, text):
    suffix = pathlib.Path(path).suffix
    limit = 700 if path.startswith("tests/") else LINES[suffix]
    if text.count("\n") > limit:
        yield f"{path}: {text.count(chr(10))} lines, at most {limit}"
    for line in re.findall(r'^#include\s+(["<][^">]+[">])', text, re.M):
        for pattern, places in LIBRARIES.items():
            if re.match(pattern, line) and not any(path.startswith(p) for p in places):
                yield f"{path}: {line} is included only in {', '.join(sorted(places))}"
        match = re.match(r'"((?:agent|tools|tests|bpf)/[^"]+)"', line)
        if match and (breach := check_edge(path, match.group(1))):
            yield breach
        elif line.startswith('"') and not match and not re.match(r'"(oombox/v1|runtime/v1|google/protobuf)/', line):
            yield f"{path}: {line} is not rooted at the repository"


def main():
    # The tree may be another user's.
    files = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                           capture_output=True, text=True, check=True).stdout.split("\n")
    breaches = []
    for path in filter(None, files):
        if path.split("/")[0] not in TOP:
            breaches.append(f"{path}: no such thing at the top level")
        full = ROOT / path
        if full.suffix in LINES and full.is_file():
            breaches.extend(check_file(path, full.read_text(encoding="utf-8")))
    print("\n".join(breaches) if breaches else "structure: every include edge and size holds")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
