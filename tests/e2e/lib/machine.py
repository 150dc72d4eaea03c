"""What a test needs of the machine. A test that cannot run says why, on a line of its own."""

import contextlib
import os
import subprocess
import tempfile
import unittest

from lib.programs import binary


def skip(reason):
    """Skips the whole file: CTest looks for this line."""
    print(f"OOMBOX-SKIP: {reason}", flush=True)
    raise unittest.SkipTest(reason)


def require_programs(*names):
    for name in names:
        if not os.access(binary(name), os.X_OK):
            raise AssertionError(f"{binary(name) or name} is missing; build it, set OOMBOX_BIN")


def obstacle_to_real_kills():
    """Why no real kill can be made and watched here; None when it can."""
    if os.geteuid() != 0:
        return "needs root to load BPF programs"
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        return "this kernel has no BTF (/sys/kernel/btf/vmlinux)"
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
    except OSError as error:
        return f"cannot read the kernel's log: {error}"
    if not os.access(binary("memhog"), os.X_OK):
        return "memhog is not built"
    probe = subprocess.run([binary("memhog"), "run", "--", "true"], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL)
    if probe.returncode == 69:
        return f"no memory cgroup can be made: {probe.stderr.strip()}"
    return _obstacle_to_bpf()


def _is_confidential():
    """The kernel lets nobody read its memory, BPF included."""
    for path, word in (("/sys/kernel/security/lockdown", "[confidentiality]"),
                       ("/proc/cmdline", "lockdown=confidentiality")):
        with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
            return word in file.read()
    return False


def _obstacle_to_bpf():
    """The agent's own word: exit 69 when BPF cannot be loaded here. Any other end is for the tests, and so
    are programs that the verifier refuses: that is our fault, not the machine's."""
    with tempfile.TemporaryDirectory(prefix="oombox-", dir="/tmp") as folder:
        # A socket that cannot be made ends the agent after the load.
        done = subprocess.run([binary("oombox-agent"), "--state-dir", f"{folder}/state", "--socket",
                               "/proc/nowhere/agent.sock"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
    refused = next((line for line in done.stderr.splitlines() if "refused the BPF programs" in line), None)
    if refused and "Operation not permitted" not in refused and not _is_confidential():
        return None
    return done.stderr.strip() if done.returncode == 69 else None


def can_make_real_kills():
    return obstacle_to_real_kills() is None


def require_real_kills():
    """Root, BTF, the kernel's log and a memory controller."""
    require_programs("oombox-agent", "oombox", "memhog")
    if obstacle := obstacle_to_real_kills():
        skip(obstacle)


def recording():
    """A recorded journal of real kills, None when the tree has none."""
    path = os.path.join(os.path.dirname(__file__), "../../recordings/first-light.journal.db")
    return os.path.normpath(path) if os.path.exists(path) else None


def kernel_version():
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(c for c in minor if c.isdigit()))


def prints_exact_sums(release=None):
    """Linux 7 and later sum the per-CPU parts of a counter when they print it."""
    return (int(release.split(".")[0]) if release else kernel_version()[0]) >= 7


def tells_of_no_victim(release):
    """Since Linux 5.19 the console tracepoint fires where a line is printed."""
    major, minor = release.split(".")[:2]
    return (int(major), int(minor)) >= (5, 19)


def kernel_kills():
    """The kernel's count of OOM kills on this machine since it booted."""
    with open("/proc/vmstat", encoding="ascii") as vmstat:
        return next(int(line.split()[1]) for line in vmstat if line.startswith("oom_kill "))


def own_memory_cgroup():
    with open("/proc/self/cgroup", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split(":", 2) for line in lines]
    own = {controller: path for _, controllers, path in rows for controller in controllers.split(",")}
    return own.get("memory", own.get(""))


def memory_mount():
    """Where the memory controller's hierarchy is mounted."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        rows = [line.split() for line in mounts]
    for row in rows:
        dash = row.index("-")
        if row[dash + 1] == "cgroup" and "memory" in row[dash + 3].split(","):
            return row[4]
    return next(row[4] for row in rows if row[row.index("-") + 1] == "cgroup2")


def cgroup_inode(path):
    """Inode of a cgroup's directory, None when it is gone."""
    try:
        return os.stat(memory_mount() + path).st_ino
    except OSError:
        return None
