"""The agent in a container as deploy/kubernetes/base makes it, with runc."""

import contextlib
import functools
import importlib.util
import json
import os
import shutil
import subprocess
import uuid

from lib.pod_cgroups import PodCgroups, is_v2

HERE = os.path.dirname(os.path.abspath(__file__))
MANIFEST = os.path.normpath(os.path.join(HERE, "../../../deploy/kubernetes/base/agent.yaml"))
# What runtimes hide and write-protect in an unprivileged container (containerd's oci/spec.go).
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
# capability.h
CAPABILITIES = {"SETPCAP": 8, "SYS_RESOURCE": 24, "SYSLOG": 34, "PERFMON": 38, "BPF": 39}
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


@functools.cache
def obstacle():
    """Why the agent runs outside of a container here; None when it need not."""
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("runc") is None:
        return "runc is not installed"
    if importlib.util.find_spec("yaml") is None:
        return "this Python has no yaml"
    return None


@functools.cache
def _pod():
    import yaml  # pylint: disable=import-outside-toplevel
    with open(MANIFEST, encoding="utf-8") as file:
        manifests = list(yaml.safe_load_all(file))
    return next(m for m in manifests if m["kind"] == "DaemonSet")["spec"]["template"]["spec"]


def _have(capability):
    """A container cannot get what the tester's own has not."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        bounding = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
    return bounding >> CAPABILITIES[capability] & 1


def _bytes(quantity):
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def _bind(path, *options):
    return {"destination": path, "source": path, "type": "bind", "options": ["rbind", *options]}


class DaemonSetContainer:
    """One container with the manifest's capabilities, namespaces, limits and mounts. The test's folder
    stands for the node's folders that the agent writes to (state, socket, pins); programs and
    libraries are the machine's, read-only. Unlike the pod's: the machine's network (tests listen on
    loopback), no seccomp filter, settings by flags, and a capability that the tester has not is left out."""

    def __init__(self, test, folder, argv, environment):
        self._id = f"oombox-{uuid.uuid4().hex[:12]}"
        self._bundle = os.path.join(folder, f"bundle-{self._id}")
        self._cgroups = PodCgroups()
        rootfs = os.path.join(self._bundle, "rootfs")
        os.makedirs(rootfs)
        for name in ("bin", "lib", "lib64", "sbin"):
            if os.path.islink(f"/{name}"):
                os.symlink(os.readlink(f"/{name}"), os.path.join(rootfs, name))
        with open(os.path.join(self._bundle, "config.json"), "w", encoding="ascii") as file:
            json.dump(self._spec(folder, argv, environment), file)
        self._pid_file = os.path.join(self._bundle, "pid")
        self.argv = ["runc", "--root", self._state, "run", "--bundle", self._bundle, "--pid-file",
                     self._pid_file, self._id]
        test.addCleanup(self._clean_up)

    @property
    def _state(self):
        return os.path.join(self._bundle, "runc")

    def _spec(self, folder, argv, environment):
        pod = _pod()
        container = next(c for c in pod["containers"] if c["name"] == "agent")
        security = container["securityContext"]
        capabilities = [f"CAP_{name}" for name in security["capabilities"]["add"] if _have(name)]
        namespaces = ["mount", "uts"]
        namespaces += [] if pod["hostPID"] else ["pid"]
        namespaces += [] if pod["hostIPC"] else ["ipc"]
        namespaces += ["cgroup"] if is_v2() else []  # as runtimes do
        read_only = [m["mountPath"] for m in container["volumeMounts"]
                     if m.get("readOnly") and m["mountPath"] != "/etc/oombox" and os.path.isdir(m["mountPath"])]
        own = os.path.dirname(os.path.abspath(argv[0]))
        runtimes = [os.path.dirname(socket) for flag, socket in zip(argv, argv[1:]) if flag == "--cri-socket"]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": False, "cwd": "/", "args": argv,
                "user": {"uid": security["runAsUser"], "gid": security["runAsGroup"]},
                "env": [f"{key}={value}" for key, value in environment.items()],
                "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")},
                "noNewPrivileges": not security["allowPrivilegeEscalation"]},
            "root": {"path": "rootfs", "readonly": security["readOnlyRootFilesystem"]},
            "hostname": "agent",
            "mounts": [
                {"destination": "/proc", "source": "proc", "type": "proc"},
                {"destination": "/dev", "source": "tmpfs", "type": "tmpfs",
                 "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
                {"destination": "/sys", "source": "sysfs", "type": "sysfs",
                 "options": ["nosuid", "noexec", "nodev", "ro"]},
                *[_bind(path, "ro") for path in ("/usr", "/etc", own)],
                *[_bind(path, "ro", "nosuid", "nodev", "noexec", "rslave") for path in read_only],
                *[{**_bind(path), "options": ["bind", "ro"]} for path in runtimes],  # for /run/containerd
                _bind(folder, "rw", "rslave")],
            "linux": {
                "cgroupsPath": self._cgroups.root,
                "resources": {"devices": [{"allow": False, "access": "rwm"}],
                              "memory": {"limit": _bytes(container["resources"]["limits"]["memory"])}},
                "namespaces": [{"type": name} for name in namespaces],
                "maskedPaths": MASKED, "readonlyPaths": READ_ONLY}}

    def pid(self):
        """Of the agent, as the machine sees it; None while there is none."""
        try:
            with open(self._pid_file, encoding="ascii") as file:
                return int(file.read())
        except (FileNotFoundError, ValueError):
            return None

    def _clean_up(self):
        subprocess.run(["runc", "--root", self._state, "delete", "--force", self._id], capture_output=True,
                       check=False)
        with contextlib.suppress(FileNotFoundError):
            self._cgroups.remove()
        shutil.rmtree(self._bundle, ignore_errors=True)
