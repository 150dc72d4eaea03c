"""A Debian with systemd and containerd in QEMU, for what an initramfs has not: slices of systemd's cgroup
driver. Its packages come through the package manager, into a cache outside of the tree."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import tarfile

import debian_kernels
from debian_kernels import CACHE, KernelError, run
from guest import QEMU

PACKAGES = ("systemd-sysv", "dbus", "linux-image-cloud-amd64", "containerd", "runc", "busybox-static", "kmod",
            "mount", "procps", "protobuf-compiler", "python3", "python3-grpcio", "python3-protobuf",
            "python3-yaml", "util-linux")
DISK_MIB = 4096
BOOT_TIMEOUT = 3000
# In the root cgroup, which alone may have processes beside children with controllers. Both streams go to
# the second serial port; then the machine is off.
UNIT = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
Environment=OOMBOX_BIN=/oombox/bin PYTHONPATH=/oombox/tests/e2e OOMBOX_TEST_CGROUP_DRIVER=systemd
WorkingDirectory=/oombox/tests/e2e
ExecStart=/bin/sh -c 'echo $$$$ >/sys/fs/cgroup/cgroup.procs; /usr/bin/python3 -B -m unittest -v {tests} >/dev/ttyS1 2>&1; echo OOMBOX-EXIT $? >/dev/ttyS1'
ExecStopPost=/sbin/poweroff
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
"""


def _codename():
    with open("/etc/os-release", encoding="utf-8") as lines:
        return next(line.partition("=")[2].strip() for line in lines if line.startswith("VERSION_CODENAME="))


def _packages_of_libraries(programs):
    """Those of this machine that own what the programs load."""
    paths = {os.path.realpath(path) for path in
             re.findall(r"=> (/\S+) \(0x", run("ldd", *programs))}
    owners = set()
    for path in paths:
        names = [path, path.removeprefix("/usr")]
        found = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True, check=False)
        owners.update(line.split(":")[0] for line in found.stdout.splitlines())
    return sorted(owners)


def rootfs(programs):
    """An archive of the packages that the guest needs, made once; made anew when one of the libraries has
    another version. Raises KernelError."""
    suite = _codename()
    packages = sorted({*PACKAGES, *_packages_of_libraries(programs)})
    versions = run("dpkg-query", "-W", *_packages_of_libraries(programs))
    key = hashlib.sha256(" ".join([suite, versions, *packages]).encode()).hexdigest()[:12]
    archive = os.path.join(CACHE, "guests", f"{suite}-{key}.tar")
    with debian_kernels.cache_lock():
        if not os.path.exists(archive):
            os.makedirs(os.path.dirname(archive), exist_ok=True)
            run("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(packages)}",
                "--dpkgopt=path-exclude=/usr/share/doc/*", suite, archive + ".part.tar", debian_kernels.mirror(suite))
            os.rename(archive + ".part.tar", archive)
    return archive


class SystemdGuest:
    """Runs tests of tests/e2e, then is off."""

    def __init__(self, folder, packages, programs, tests):
        """`packages`: see rootfs."""
        root = os.path.join(folder, "root")
        with tarfile.open(packages) as archive:
            archive.extractall(root)
        self._add_tests(root, programs, tests)
        self.kernel, = glob.glob(os.path.join(root, "boot/vmlinuz-*"))
        self.initrd, = glob.glob(os.path.join(root, "boot/initrd.img-*"))
        for name in ("kernel", "initrd"):
            copy = os.path.join(folder, name)
            shutil.move(getattr(self, name), copy)
            setattr(self, name, copy)
        self.disk = os.path.join(folder, "disk")
        with open(self.disk, "wb") as image:
            image.truncate(DISK_MIB << 20)
        run("mkfs.ext4", "-q", "-F", "-d", root, self.disk)
        shutil.rmtree(root)
        self.console, self.output = (os.path.join(folder, name) for name in ("console", "output"))

    @staticmethod
    def _add_tests(root, programs, tests):
        repository = os.path.join(debian_kernels.HERE, "../..")
        for path in ("tests/e2e", "deploy/kubernetes/base"):
            shutil.copytree(os.path.join(repository, path), os.path.join(root, "oombox", path))
        os.makedirs(os.path.join(root, "oombox/bin"))
        for program in programs:
            run("strip", "-o", os.path.join(root, "oombox/bin", os.path.basename(program)), program)
        with open(os.path.join(root, "etc/hosts"), "w", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 localhost\n")
        with open(os.path.join(root, "etc/fstab"), "w", encoding="ascii") as fstab:
            fstab.write("bpf /sys/fs/bpf bpf defaults 0 0\n")
        units = os.path.join(root, "etc/systemd/system")
        with open(os.path.join(units, "oombox-test.service"), "w", encoding="ascii") as unit:
            unit.write(UNIT.format(tests=" ".join(tests)))
        wanted = os.path.join(units, "multi-user.target.wants")
        os.makedirs(wanted, exist_ok=True)
        os.symlink("../oombox-test.service", os.path.join(wanted, "oombox-test.service"))
        for name in ("containerd.service", "getty.target"):  # the tests start their own
            path = os.path.join(units, name)
            if os.path.lexists(path):
                os.remove(path)
            os.symlink("/dev/null", path)

    def run(self):
        """What the tests printed. Raises KernelError when the guest did not come to their end."""
        command = [*QEMU, "-accel", "tcg,thread=single", "-cpu", "max", "-smp", "2", "-M", "q35",
                   "-m", "3072", "-kernel", self.kernel, "-initrd", self.initrd, "-append",
                   "console=ttyS0 root=/dev/vda rw quiet panic=-1 mitigations=off nokaslr no_timer_check",
                   "-drive", f"file={self.disk},if=virtio,format=raw,cache=unsafe", "-nic", "none",
                   "-display", "none", "-no-reboot", "-monitor", "none",
                   "-serial", f"file:{self.console}", "-serial", f"file:{self.output}"]
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, timeout=BOOT_TIMEOUT, check=False)
        except subprocess.TimeoutExpired:
            pass
        with open(self.output, encoding="utf-8", errors="replace") as file:
            output = file.read().replace("\r", "")
        if "OOMBOX-EXIT" not in output:
            with open(self.console, encoding="utf-8", errors="replace") as file:
                raise KernelError(f"the guest did not finish:\n{file.read()[-4000:]}\n{output[-4000:]}")
        return output
