"""promtool, out of Debian's package and into the cache: the service beside it is not installed."""

import functools
import os
import shutil
import subprocess
import tempfile

# Seconds: a mirror that swallows packets must not end the test.
DOWNLOAD_TIMEOUT = 90
CACHE = os.environ.get("OOMBOX_CACHE", os.path.expanduser("~/.cache/oombox"))


class Unavailable(Exception):
    """It cannot be had here; says why."""


def _run(*argv, cwd=None):
    try:
        return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=cwd,
                              stdin=subprocess.DEVNULL, timeout=DOWNLOAD_TIMEOUT).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{' '.join(argv)}: not reachable within {DOWNLOAD_TIMEOUT} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit {error.returncode}"]
        raise Unavailable(f"{' '.join(argv)}: {lines[-1]}") from error


def promtool():
    """Path of promtool, downloaded once; tried once, too."""
    found = _find()
    if isinstance(found, Unavailable):
        raise found
    return found


@functools.cache
def _find():
    if installed := shutil.which("promtool"):
        return installed
    target = os.path.join(CACHE, "promtool", "promtool")
    if not os.path.exists(target):
        try:
            _download(target)
        except Unavailable as reason:
            return reason
    return target


def _download(target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="promtool.parts-", dir=CACHE) as parts:
        _run("apt-get", "-q", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20", "download", "prometheus",
             cwd=parts)
        deb = next(name for name in os.listdir(parts) if name.endswith(".deb"))
        _run("dpkg-deb", "-x", deb, "x", cwd=parts)
        os.rename(os.path.join(parts, "x/usr/bin/promtool"), target)


def check_metrics(text):
    """What promtool finds wrong with a scrape; empty when it is clean."""
    done = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True,
                          text=True)
    found = (done.stdout + done.stderr).strip()
    return found or (f"exit {done.returncode}" if done.returncode != 0 else "")
