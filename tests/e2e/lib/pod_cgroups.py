"""The tree of cgroups that a kubelet keeps: with the cgroupfs driver at a place of the test's own, with the
systemd driver (OOMBOX_TEST_CGROUP_DRIVER=systemd) where it always is."""

import contextlib
import os
import pathlib
import signal
import uuid

from lib.machine import memory_mount, own_memory_cgroup
from lib.programs import eventually


def _hierarchies():
    """Where the cgroup hierarchies are mounted: one on v2, one per controller on v1."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        rows = [line.split() for line in mounts]
    return [row[4] for row in rows if row[row.index("-") + 1] in ("cgroup", "cgroup2")]


def is_v2():
    return os.path.exists(f"{memory_mount()}/cgroup.controllers")


class PodCgroups:
    """`<root>/kubepods/burstable/pod<uid>/<container id>`, in every hierarchy. The runtime makes them;
    the pods' are left to the kubelet to remove, which is us."""

    def __init__(self):
        # On v2 a cgroup with processes, as the test's own, has no controllers for its children.
        above = "" if is_v2() else own_memory_cgroup().rstrip("/")
        self.root = f"{above}/oombox-{uuid.uuid4().hex[:12]}"
        parents = [str(path) for path in pathlib.PurePosixPath(self.root).parents if str(path) != "/"]
        self._not_there_before = [mount + parent for mount in _hierarchies() for parent in parents
                                  if not os.path.exists(mount + parent)]

    def pod(self, uid, qos):
        """The path of a pod's cgroup; `qos` in lower case, as the kubelet writes it."""
        level = "" if qos == "guaranteed" else f"/{qos}"
        return f"{self.root}/kubepods{level}/pod{uid}"

    @staticmethod
    def container(pod, container_id):
        """The path of a container's cgroup in that of its pod."""
        return f"{pod}/{container_id}"

    def kill_all(self):
        """Ends every process in there."""
        for mount in _hierarchies():
            for folder, _, _ in os.walk(mount + self.root):
                for pid in members(folder):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def remove(self):
        """Kills what is left in there, and removes what was not there before."""
        self.kill_all()
        for mount in _hierarchies():
            for folder, _, _ in os.walk(mount + self.root, topdown=False):
                eventually(lambda folder=folder: _remove(folder), why=f"the end of {folder}")
        for folder in self._not_there_before:
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    def left(self):
        """Folders that are still there."""
        return [mount + self.root for mount in _hierarchies() if os.path.exists(mount + self.root)]


class SystemdPodCgroups(PodCgroups):
    """`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope`,
    for a machine that has nobody else's pods: a guest."""

    def __init__(self):
        super().__init__()
        self.root = "/kubepods.slice"

    def pod(self, uid, qos):
        slices = [] if qos == "guaranteed" else [f"kubepods-{qos}.slice"]
        prefix = slices[0].removesuffix(".slice") if slices else "kubepods"
        slices.append(f"{prefix}-pod{uid.replace('-', '_')}.slice")
        return "/".join([self.root, *slices])

    @staticmethod
    def container(pod, container_id):
        return f"{pod}/cri-containerd-{container_id}.scope"

    def remove(self):
        """systemd removes a slice with its last scope."""
        self.kill_all()


def pod_cgroups():
    return SystemdPodCgroups() if is_systemd() else PodCgroups()


def is_systemd():
    """The tests' runtime leaves cgroups to systemd."""
    return os.environ.get("OOMBOX_TEST_CGROUP_DRIVER") == "systemd"


def _remove(folder):
    """A v1 cgroup stays busy for a moment after its last process."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def members(folder):
    """Processes of one cgroup; none when it is gone."""
    try:
        with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as procs:
            return [int(line) for line in procs]
    except OSError:
        return []
