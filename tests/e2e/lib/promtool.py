"""promtool, out of Debian's package and into the cache: the service beside it is not installed."""

import os
import shutil
import subprocess

CACHE = os.environ.get("OOMBOX_CACHE", os.path.expanduser("~/.cache/oombox"))


class Unavailable(Exception):
    """It cannot be had here; says why."""


def _run(*argv, cwd=None):
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=cwd,
                              stdin=subprocess.DEVNULL).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"{argv[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit {error.returncode}"]
        raise Unavailable(f"{' '.join(argv)}: {lines[-1]}") from error


def promtool():
    """Path of promtool, downloaded once."""
    if installed := shutil.which("promtool"):
        return installed
    target = os.path.join(CACHE, "promtool", "promtool")
    if not os.path.exists(target):
        parts = os.path.join(CACHE, f"promtool.parts-{os.getpid()}")
        os.makedirs(parts)
        try:
            _run("apt-get", "-q", "download", "prometheus", cwd=parts)
            deb = next(name for name in os.listdir(parts) if name.endswith(".deb"))
            _run("dpkg-deb", "-x", deb, "x", cwd=parts)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(os.path.join(parts, "x/usr/bin/promtool"), target)
        finally:
            shutil.rmtree(parts, ignore_errors=True)
    return target


def check_metrics(text):
    """What promtool finds wrong with a scrape; empty when it is clean."""
    done = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True,
                          text=True)
    found = (done.stdout + done.stderr).strip()
    return found or (f"exit {done.returncode}" if done.returncode != 0 else "")
