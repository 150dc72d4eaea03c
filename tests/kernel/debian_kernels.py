"""Kernel images from Debian's suites, through the package manager, into a cache outside of the tree."""

import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess

CACHE = os.environ.get("OOMBOX_CACHE", os.path.expanduser("~/.cache/oombox"))
HERE = os.path.dirname(os.path.abspath(__file__))


class KernelError(Exception):
    """The image cannot be had."""


class Kernel:
    """A line of kernels.txt: a name, the suite and the pattern of the package it comes from, tags."""

    def __init__(self, name, suite, pattern, *tags):
        self.name, self.suite, self.pattern, self.tags = name, suite, pattern, tags

    def image(self):
        """Path of the image, downloaded once. Raises KernelError."""
        folder = os.path.join(CACHE, "kernels", self.name)
        with cache_lock():
            if not os.path.exists(os.path.join(folder, "vmlinuz")):
                _download(self, folder)
        return os.path.join(folder, "vmlinuz")


def kernels(tag=None):
    """Every kernel, oldest first, or those with a tag."""
    with open(os.path.join(HERE, "kernels.txt"), encoding="ascii") as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [kernel for kernel in (Kernel(*row) for row in rows) if tag in (None, *kernel.tags)]


def run(*argv, **more):
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, **more).stdout
    except subprocess.CalledProcessError as error:
        raise KernelError(f"{' '.join(argv[:3])}: {error.stderr.strip()}") from error


@contextlib.contextmanager
def cache_lock():
    """Tests run side by side, and the first one downloads."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "kernels.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def mirror(suite):
    """Where this machine takes its own packages from, of the archive that the suite is in."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)")
    security = suite.endswith("-security")
    for line in targets.splitlines():
        uri, _, release = line.partition(" ")
        if re.fullmatch(r"[a-z]+(-security)?", release) and \
                release.endswith("-security") == security and "/debian" in uri:
            return uri
    raise KernelError(f"no mirror for {suite} among the package manager's sources")


def _apt(suite):
    """Options of apt for a state of its own that knows one suite; the machine's stays as it is."""
    state = os.path.join(CACHE, "apt", suite)
    options = ["-q", "-o", f"Dir::State={state}", "-o", f"Dir::Cache={state}",
               "-o", f"Dir::Etc::sourcelist={state}/sources.list", "-o", "Dir::Etc::sourceparts=-",
               "-o", "Acquire::Languages=none", "-o", "APT::Sandbox::User=root"]
    for name in ("lists/partial", "archives/partial"):
        os.makedirs(os.path.join(state, name), exist_ok=True)
    with open(os.path.join(state, "sources.list"), "w", encoding="ascii") as out:
        out.write(f"deb {mirror(suite)} {suite} main\n")
    run("apt-get", *options, "update")
    return options


def _version(package):
    return [int(number) for number in re.findall(r"\d+", package)]


def _download(kernel, folder):
    options = _apt(kernel.suite)
    found = run("apt-cache", *options, "search", "--names-only", f"^{kernel.pattern}$")
    packages = [line.split(" ")[0] for line in found.splitlines()]
    if not packages:
        raise KernelError(f"{kernel.suite} has no package {kernel.pattern}")
    package = max(packages, key=_version)
    parts = folder + ".parts"
    shutil.rmtree(parts, ignore_errors=True)
    os.makedirs(os.path.join(parts, "x"))
    run("apt-get", *options, "download", package, cwd=parts)
    deb, = glob.glob(os.path.join(parts, "*.deb"))
    run("dpkg-deb", "-x", deb, "x", cwd=parts)
    images = glob.glob(os.path.join(parts, "x", "boot", "vmlinuz-*")) + \
        glob.glob(os.path.join(parts, "x", "usr", "lib", "modules", "*", "vmlinuz"))
    if not images:
        raise KernelError(f"{package} has no kernel image")
    os.makedirs(folder, exist_ok=True)
    os.rename(images[0], os.path.join(folder, "vmlinuz"))
    shutil.rmtree(parts)
