"""A containerd of the test's own, with images, pods and cgroups of its own; on the host, not in a VM."""

import concurrent.futures
import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile

from lib import images
from lib.cri import Cri
from lib.machine import skip
from lib.pod_cgroups import is_systemd, pod_cgroups
from lib.pods import Pod
from lib.programs import ENVIRONMENT, eventually

# Debian: containerd, runc, busybox-static, protobuf-compiler, python3-grpcio, python3-protobuf.
PROGRAMS = ("containerd", "containerd-shim-runc-v2", "ctr", "runc", "protoc", "umount")
MODULES = ("grpc", "google.protobuf")
SHIM_SOCKETS = "/run/containerd/s"
# Below its state folder everything is the daemon's own. It may not lower its oom_score_adj where
# CAP_SYS_RESOURCE is missing, and there is no network to be set up for pods on the host's.
CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/run"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{folder}/cni/bin"
    conf_dir = "{folder}/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{folder}/runc"
        SystemdCgroup = {systemd}
"""


def obstacle():
    """Why no container can be run here; None when it can."""
    if os.geteuid() != 0:
        return "needs root to run containers"
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if not os.access(images.BUSYBOX, os.X_OK):
        return "busybox-static is not installed"
    if not _is_static(images.BUSYBOX):
        return "busybox is not the static one"
    for module in MODULES:
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            return f"this Python has no {module}"
    return None


def _is_static(program):
    """It asks for no loader."""
    with open(program, "rb") as file:
        return b"/ld-" not in file.read(4096)


def require_containers():
    if why := obstacle():
        skip(why)


class Containerd:
    """Runs until the end of the test, then leaves nothing behind: no pod, shim, mount, cgroup or file."""

    def __init__(self, test):
        self._folder = tempfile.mkdtemp(prefix="oombox-", dir="/var/tmp")
        self.socket = self.file("containerd.sock")
        self.cgroups = pod_cgroups()
        self.cri = None
        self._process = None
        self._sandboxes = set()
        test.addCleanup(self._clean_up, test)
        with open(self.file("config.toml"), "w", encoding="ascii") as config:
            config.write(CONFIG.format(folder=self._folder, pause=images.PAUSE,
                                       systemd=str(is_systemd()).lower()))
        self.start()
        self.image_ids = self._import_images()

    def file(self, *names):
        return os.path.join(self._folder, *names)

    def start(self):
        """Waits until the CRI answers."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.socket)
        with open(self.file("log"), "ab") as log:
            # A group of its own: a terminal's ^C is not for it.
            self._process = subprocess.Popen(
                ["containerd", "-c", self.file("config.toml")], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=ENVIRONMENT, start_new_session=True)
        eventually(lambda: os.path.exists(self.socket) or self._process.poll() is not None,
                   why="containerd's socket")
        self.cri = Cri(self.socket)
        eventually(self._is_ready, why="the CRI's answer")
        return self

    def _is_ready(self):
        if self._process.poll() is not None:
            raise AssertionError(f"containerd ended:\n{self.log()}")
        try:
            conditions = self.cri.call("Status").status.conditions
        except self.cri.failed:
            return False
        return any(c.type == "RuntimeReady" and c.status for c in conditions)

    def stop(self):
        """Ends the daemon; containers and their shims live on."""
        if self.cri is not None:
            self.cri.close()
            self.cri = None
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(30)

    def pause(self):
        """It takes calls, and answers none."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        self._process.send_signal(signal.SIGCONT)

    def run_pod(self, name, **more):
        """See Pod."""
        pod = Pod(self, name, **more)
        self._sandboxes.add(pod.id)
        return pod

    def remove_pod(self, sandbox_id):
        """With its containers, also when they run."""
        self.cri.call("StopPodSandbox", pod_sandbox_id=sandbox_id)
        self.cri.call("RemovePodSandbox", pod_sandbox_id=sandbox_id)

    def log(self):
        with contextlib.suppress(OSError), open(self.file("log"), encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-40:])
        return ""

    def _import_images(self):
        """Ids by name."""
        archive = self.file("images.tar")
        images.write_archive(archive)
        done = subprocess.run(["ctr", "-a", self.socket, "-n", "k8s.io", "images", "import", archive],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode != 0:
            raise AssertionError(f"ctr images import: {done.stderr}")
        os.remove(archive)
        return {name: eventually(lambda name=name: self.cri.image_id(name), why=f"image {name}")
                for name in (images.PAUSE, images.HOG)}

    def _clean_up(self, test):
        result = getattr(test._outcome, "result", None)
        if result and any(test is failed for failed, _ in result.failures + result.errors):
            print(f"--- containerd\n{self.log()}", flush=True)
        with contextlib.ExitStack() as stack:  # each of them, the last first, whatever fails
            stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
            stack.callback(self.cgroups.remove)
            stack.callback(self._remove_shim_sockets)
            stack.callback(self._unmount)
            stack.callback(self._end_shims)
            stack.callback(self._kill)
            stack.callback(self._remove_pods)

    def _remove_pods(self):
        if self._process is None:
            return
        self.resume()
        if self._process.poll() is not None:
            self.start()
        ids = [sandbox.id for sandbox in self.cri.call("ListPodSandbox").items]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(self.remove_pod, ids))

    def _kill(self):
        if self._process is not None and self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def shims(self):
        """Processes that keep containers of this daemon."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
                if b"containerd-shim" in words[0] and self.socket.encode() in words:
                    found.append(int(pid))
        return found

    def _end_shims(self):
        """Only after a failure: a shim ends with its pod."""
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self.shims(), 5)
        self.cgroups.kill_all()
        for pid in self.shims():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def mounts(self):
        """Mount points below its folder, the innermost first."""
        with open("/proc/self/mountinfo", encoding="utf-8") as rows:
            points = [row.split()[4] for row in rows]
        return [point for point in reversed(points) if point.startswith(f"{self._folder}/")]

    def _unmount(self):
        for point in self.mounts():
            subprocess.run(["umount", "--lazy", point], check=False, stdin=subprocess.DEVNULL)

    def shim_sockets(self):
        """The shims' sockets, which are outside of its folder: containerd's shim.SocketAddress."""
        names = [hashlib.sha256(f"{self.socket}/k8s.io/{sandbox}".encode()).hexdigest()
                 for sandbox in self._sandboxes]
        paths = [os.path.join(SHIM_SOCKETS, name) for name in names]
        return [path for path in paths if os.path.exists(path)]

    def _remove_shim_sockets(self):
        for path in self.shim_sockets():
            os.remove(path)
        for folder in (SHIM_SOCKETS, os.path.dirname(SHIM_SOCKETS)):
            with contextlib.suppress(OSError):  # another containerd's are in there
                os.rmdir(folder)
