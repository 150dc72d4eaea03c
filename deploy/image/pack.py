#!/usr/bin/python3
"""Packs a folder into an image archive (docker-archive: containerd, podman, buildah and docker load it).

Usage: pack.py ROOT NAME:TAG OUTPUT

ROOT is the image's file system. The same ROOT gives the same bytes: names are sorted, owner is root,
times are SOURCE_DATE_EPOCH (0 without it). Nothing but Python's own library is needed.
"""

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import time

USER = "65532:65532"  # nobody's; the agent's manifest asks for root
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def clean(info):
    """Nothing of the machine that packs."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = EPOCH
    if info.issym():
        info.mode = 0o777
    else:
        info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def paths_below(root):
    """Every path, parents first."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted(set(folders) | set(files)):
            yield os.path.relpath(os.path.join(folder, name), root)
        folders[:] = [name for name in folders if name not in links]


def layer_of(root):
    """The layer's bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(paths_below(root)):
            # A file that has two names in ROOT is two files.
            tar.inodes = {}
            tar.add(os.path.join(root, path), path, recursive=False, filter=clean)
    return out.getvalue()


def config_of(layer):
    """The image's configuration."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
    machine = platform.machine()
    return {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": created,
        "config": {"User": USER, "Env": ["PATH=/usr/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        "history": [{"created": created, "comment": "oombox"}],
    }


def add(tar, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(clean(info), io.BytesIO(content))


def main(root, tag, output):
    layer = layer_of(root)
    config = json.dumps(config_of(layer), sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    layer_name = hashlib.sha256(layer).hexdigest() + ".tar"
    manifest = [{"Config": config_name, "RepoTags": [tag], "Layers": [layer_name]}]
    with tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as tar:
        add(tar, layer_name, layer)
        add(tar, config_name, config)
        add(tar, "manifest.json", json.dumps(manifest, sort_keys=True).encode())


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
