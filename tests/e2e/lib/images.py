"""Container images made of Debian's static busybox alone, as an archive that `docker save` could have
written: no registry, no network, no image tool."""

import hashlib
import io
import json
import platform
import subprocess
import tarfile

BUSYBOX = "/bin/busybox"
PAUSE = "localhost/pause:1"
HOG = "localhost/hog:1"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Sleeps for ever, ends on SIGTERM, and collects whoever dies below it.
_PAUSE_COMMAND = ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait $!; done"]


def _add(archive, name, content=None, mode=0o644, **more):
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    for key, value in more.items():
        setattr(entry, key, value)
    if content is None:
        archive.addfile(entry)
    else:
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def _layer():
    """busybox and a link for each program that it can be."""
    applets = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
    with open(BUSYBOX, "rb") as file:
        busybox = file.read()
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        for folder in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            _add(archive, folder, mode=0o755, type=tarfile.DIRTYPE)
        _add(archive, "bin/busybox", busybox, 0o755)
        for applet in applets:
            if applet != "busybox":
                _add(archive, f"bin/{applet}", type=tarfile.SYMTYPE, linkname="busybox")
        _add(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        _add(archive, "etc/group", b"root:x:0:\n")
    return layer.getvalue()


def _config(layer, command):
    return json.dumps({
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()), "os": "linux",
        "config": {"Entrypoint": command, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }).encode()


def write_archive(path):
    """Both images, named PAUSE and HOG."""
    layer = _layer()
    manifest = []
    with tarfile.open(path, "w") as archive:
        _add(archive, "layer.tar", layer)
        for name, command in ((PAUSE, _PAUSE_COMMAND), (HOG, ["/bin/sh"])):
            config = _config(layer, command)
            file = f"{hashlib.sha256(config).hexdigest()}.json"
            _add(archive, file, config)
            manifest.append({"Config": file, "RepoTags": [name], "Layers": ["layer.tar"]})
        _add(archive, "manifest.json", json.dumps(manifest).encode())
