"""Programs on a disk from which nothing was read yet, for a first start as on a fresh node."""
import os
import shutil
import subprocess
import sys

# 128 KiB, the kernel's own. A cloud's disk may have 8 MiB, which are page cache at once.
READ_AHEAD_SECTORS = 256
SPARE_BYTES = 64 << 20


class ColdDisk:
    """An ext4 file system in a file, mounted at `path` with `files` on it, none of them in memory.

    Where loop devices cannot be made the files are in a folder: then the disk's own read-ahead counts.
    """

    def __init__(self, path, files):
        self.path = path
        self._image = f"{path}.image"
        self._device = None
        self._mounted = False
        os.mkdir(path)
        try:
            self._make(sum(os.path.getsize(file) for file in files))
            self._mount()
            self._copy(files)
            self._unmount()
            self._mount()
        except (OSError, subprocess.CalledProcessError) as error:
            self.remove()
            print(f"no loop device for the first start, measured with this disk's read-ahead: {error}",
                  file=sys.stderr)
            os.mkdir(path)
            self._copy(files)

    def _make(self, size):
        with open(self._image, "wb") as image:
            image.truncate(size + SPARE_BYTES)
        # Direct: the cgroup would be charged for the image's pages as well.
        self._device = _run("losetup", "--find", "--show", "--direct-io=on", self._image).strip()
        _run("blockdev", "--setra", str(READ_AHEAD_SECTORS), self._device)
        _run("mkfs.ext4", "-q", self._device)

    def _mount(self):
        _run("mount", "-t", "ext4", self._device, self.path)
        self._mounted = True

    def _unmount(self):
        _run("umount", self.path)
        self._mounted = False

    def _copy(self, files):
        for file in files:
            with open(shutil.copy(file, self.path), "rb") as copied:
                os.fsync(copied.fileno())
                os.posix_fadvise(copied.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def remove(self):
        if self._mounted:
            self._unmount()
        if self._device:
            _run("losetup", "--detach", self._device)
            self._device = None
        if os.path.exists(self._image):
            os.remove(self._image)
        shutil.rmtree(self.path)


def _run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
