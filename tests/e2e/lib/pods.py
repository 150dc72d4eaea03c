"""Pods and containers, made the way the kubelet makes them."""

import collections
import contextlib
import json
import os
import uuid

from lib.images import HOG
from lib.machine import memory_mount
from lib.pod_cgroups import members
from lib.programs import eventually

Status = collections.namedtuple("Status", "state exit_code reason image")
MIB = 1 << 20


def grow_when_told(then="exec tail /dev/zero"):
    """A command that waits for Container.go, then takes memory without end."""
    return ["sh", "-c", f"while [ ! -e /go ]; do sleep 0.05; done; {then}"]


class Pod:
    """A pod sandbox: host network, a pid namespace for each container."""

    def __init__(self, containerd, name, namespace="default", uid=None, labels=None, annotations=None,
                 qos="burstable"):
        self.containerd = containerd
        self.name, self.namespace, self.uid = name, namespace, uid or str(uuid.uuid4())
        self.cgroup = containerd.cgroups.pod(self.uid, qos)
        pb = containerd.cri.pb
        self._namespaces = pb.NamespaceOption(network=pb.NODE, pid=pb.CONTAINER)
        self._config = pb.PodSandboxConfig(
            metadata=pb.PodSandboxMetadata(name=name, uid=self.uid, namespace=namespace),
            log_directory=containerd.file("logs", self.uid),
            labels={**(labels or {}), **self._names()},
            annotations={"kubernetes.io/config.seen": "2026-01-01T00:00:00.000000000Z",
                         "kubernetes.io/config.source": "api", **(annotations or {})},
            linux=pb.LinuxPodSandboxConfig(
                cgroup_parent=self.cgroup,
                security_context=pb.LinuxSandboxSecurityContext(namespace_options=self._namespaces)))
        os.makedirs(self._config.log_directory, exist_ok=True)
        self.id = containerd.cri.call("RunPodSandbox", config=self._config).pod_sandbox_id

    def _names(self):
        return {"io.kubernetes.pod.name": self.name, "io.kubernetes.pod.namespace": self.namespace,
                "io.kubernetes.pod.uid": self.uid}

    def add_container(self, name, command, memory_limit_bytes=32 * MIB, oom_score_adj=968, env=None,
                      attempt=0, image=HOG):
        """Made, not started."""
        pb = self.containerd.cri.pb
        config = pb.ContainerConfig(
            metadata=pb.ContainerMetadata(name=name, attempt=attempt),
            image=pb.ImageSpec(image=self.containerd.image_ids[image], user_specified_image=image),
            command=command,
            envs=[pb.KeyValue(key=key, value=value.encode()) for key, value in (env or {}).items()],
            labels={**self._names(), "io.kubernetes.container.name": name},
            annotations={"io.kubernetes.container.hash": "5f1c2a77",
                         "io.kubernetes.container.restartCount": str(attempt),
                         "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
                         "io.kubernetes.container.terminationMessagePolicy": "File",
                         "io.kubernetes.pod.terminationGracePeriod": "30"},
            log_path=f"{name}_{attempt}.log",
            linux=pb.LinuxContainerConfig(
                resources=pb.LinuxContainerResources(
                    memory_limit_in_bytes=memory_limit_bytes,
                    memory_swap_limit_in_bytes=memory_limit_bytes, oom_score_adj=oom_score_adj),
                security_context=pb.LinuxContainerSecurityContext(
                    namespace_options=self._namespaces)))
        answer = self.containerd.cri.call("CreateContainer", pod_sandbox_id=self.id, config=config,
                                          sandbox_config=self._config)
        return Container(self, name, answer.container_id)

    def run(self, name, command, **more):
        """A started container."""
        return self.add_container(name, command, **more).start()

    def remove(self):
        self.containerd.remove_pod(self.id)


class Container:
    def __init__(self, pod, name, container_id):
        self.pod, self.name, self.id = pod, name, container_id
        # Below the mount of the memory controller.
        self.cgroup = pod.containerd.cgroups.container(pod.cgroup, container_id)

    @property
    def _cri(self):
        return self.pod.containerd.cri

    def start(self):
        self._cri.call("StartContainer", container_id=self.id)
        return self

    def stop(self, grace=0):
        """SIGTERM, and SIGKILL after `grace` seconds."""
        self._cri.call("StopContainer", container_id=self.id, timeout=grace)

    def remove(self):
        self._cri.call("RemoveContainer", container_id=self.id)

    def status(self):
        """What Kubernetes is told: state "RUNNING", "EXITED", ..., exit code, reason, image."""
        status = self._cri.call("ContainerStatus", container_id=self.id).status
        state = self._cri.pb.ContainerState.Name(status.state).removeprefix("CONTAINER_")
        return Status(state, status.exit_code, status.reason, status.image.image)

    def wait_exited(self, timeout=30):
        def exited():
            status = self.status()
            return status if status.state == "EXITED" else None
        return eventually(exited, timeout, f"the end of container {self.name}")

    def processes(self):
        """Numbers of its processes; the runtime is not asked."""
        return members(memory_mount() + self.cgroup)

    def first_process(self):
        """Number of its first process while it runs, as the host sees it."""
        answer = self._cri.call("ContainerStatus", container_id=self.id, verbose=True)
        return json.loads(answer.info["info"])["pid"]

    def go(self):
        """Tells a container that runs grow_when_told; the runtime is not asked."""
        with open(f"/proc/{self._shell()}/root/go", "w", encoding="ascii"):
            pass

    def _shell(self):
        """Number of process 1 of its pid namespace: its children come and go, and may come first in a list."""
        for pid in self.processes():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
                if any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in lines):
                    return pid
        raise AssertionError(f"{self.name} has no process 1: {self.processes()}")
