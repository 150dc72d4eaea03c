"""Boots a Debian kernel in QEMU (TCG) with our programs as its only user space.

One initramfs holds the programs and every play of guest/plays/; the kernel's command line names the play.
"""

import os
import re
import shutil
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# It ends with the test, however that ends: it would take a CPU from whatever runs next.
QEMU = ("setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64")
BOOT_TIMEOUT = 480  # many times what it takes, for a machine that is busy with other things


def _run(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **more).stdout


def _shared_libraries(program):
    out = _run("ldd", program)
    return re.findall(r"(?:=> )?(/\S+) \(0x", out)


def build_initramfs(programs, folder):
    """An initramfs of busybox, `programs`, their libraries and every play; returns its path."""
    root = os.path.join(folder, "root")
    for name in ("bin", "lib", "lib64"):
        os.makedirs(os.path.join(root, name))
    os.chmod(root, 0o755)  # other users than root have to traverse it
    shutil.copy("/bin/busybox", os.path.join(root, "bin"))
    shutil.copytree(os.path.join(HERE, "guest"), root, dirs_exist_ok=True)
    libraries = set()
    for program in programs:
        _run("strip", "-o", os.path.join(root, "bin", os.path.basename(program)), program)
        libraries.update(_shared_libraries(program))
    for library in libraries:
        where = "lib64" if "/ld-linux" in library else "lib"
        shutil.copy(library, os.path.join(root, where))
    archive = os.path.join(folder, "initramfs.cpio")
    with open(archive, "wb") as out:
        names = _run("find", ".", cwd=root)
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root, check=True,
                       input=names.encode(), stdout=out, stderr=subprocess.DEVNULL)
    shutil.rmtree(root)
    return archive


def make_disk(path, mebibytes):
    """An empty ext4 file system in a raw image."""
    with open(path, "wb") as image:
        image.truncate(mebibytes << 20)
    _run("mkfs.ext4", "-q", "-F", "-E", "nodiscard", path)
    return path


class GuestError(Exception):
    """The guest did not come to its end."""


class Guest:
    """A running guest that plays one of guest/plays/. Stop it with wait() or kill()."""

    def __init__(self, kernel, initramfs, folder, play, memory_mib=1024, disk=None, disk_reads_per_second=0,
                 append="", cpus="2", machine=(), **arguments):
        self.console, self.results = (os.path.join(folder, f"{play}.{name}")
                                      for name in ("console", "results"))
        words = [f"oombox.{name}={value}" for name, value in {"play": play, **arguments}.items()]
        # One thread for all CPUs: with more, QEMU 7.2 translates code while another CPU patches it, and now and then
        # a kernel trips over a half-written jump label (Oops: int3), 1 of 80 boots.
        command = [*QEMU, "-accel", "tcg,thread=single", "-cpu", "max", "-smp", cpus, *machine,
                   "-m", str(memory_mib), "-kernel", kernel, "-initrd", initramfs, "-append",
                   "console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off log_buf_len=4M nokaslr no_timer_check "
                   + " ".join([append, *words]),
                   "-nic", "none", "-display", "none", "-no-reboot", "-monitor", "none",
                   "-serial", f"file:{self.console}", "-serial", f"file:{self.results}"]
        if disk:
            # NVMe and ext4 are built into the kernel: no modules. cache=none: what the guest's kernel
            # has not written is gone with it.
            command += ["-drive", f"file={disk},if=none,id=disk,format=raw,cache=none"
                        + f",throttling.iops-read={disk_reads_per_second}",  # 0: as fast as it is
                        "-device", "nvme,drive=disk,serial=disk"]
        self._counted = {}
        for path in (self.console, self.results):
            open(path, "wb").close()
        self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def lines(self):
        """What it has printed until now, complete lines only."""
        return _text(self.results).replace("\r", "").split("\n")[:-1]

    def running(self):
        return self._qemu.poll() is None

    def kill(self):
        """Power loss."""
        self._qemu.kill()
        self._qemu.wait()

    def stand_still(self, seconds):
        """A host that has no time for it; its clock goes on."""
        self._qemu.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            self._qemu.send_signal(signal.SIGCONT)

    def console_count(self, text):
        """How often it was printed; only what is new is read, so that asking all the time is cheap."""
        offset, count, tail = self._counted.get(text, (0, 0, ""))
        with open(self.console, "rb") as console:
            console.seek(offset)
            new = console.read()
        seen = tail + new.decode("utf-8", errors="replace")
        count += seen.count(text)
        last = seen.rfind(text)
        rest = seen[last + len(text):] if last >= 0 else seen
        self._counted[text] = (offset + len(new), count, rest[-(len(text) - 1):])
        return count

    def wait(self, timeout=BOOT_TIMEOUT):
        """Waits for its power-off; returns its frames: name -> text."""
        try:
            self._qemu.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        frames = parse_frames(_text(self.results))
        if "end" not in frames:
            raise GuestError(f"the guest did not finish; its console ends:\n{self.console_end()}\n"
                             f"frames: {sorted(frames)}\n{frames.get('agent-log', '')}")
        return frames

    def console_end(self):
        return _text(self.console)[-4000:]


def _text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def parse_frames(text):
    frames, name, lines = {}, None, []
    for line in text.replace("\r", "").split("\n"):
        if line.startswith("OOMBOX-BEGIN "):
            name, lines = line.partition(" ")[2], []
        elif name is not None and line == f"OOMBOX-END {name}":
            frames[name] = "\n".join(lines).strip("\n")
            name = None
        elif name is not None:
            lines.append(line)
    return frames
