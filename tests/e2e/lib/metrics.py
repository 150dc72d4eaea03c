"""Reading the metrics port of an agent or a collector."""

import re
import urllib.request


def url_of(daemon):
    """Of a program that was started with --metrics-listen 127.0.0.1:0."""
    line = daemon.wait_for_line(r"metrics on \S+ port=\d+")
    port = re.search(r"port=(\d+)", line)[1]
    return f"http://127.0.0.1:{port}/metrics"


def scrape_text(daemon):
    # Without the proxy that the environment may name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url_of(daemon), timeout=10) as answer:
        return answer.read().decode()


SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$")


def samples(text):
    """{"name{labels}": value} of a scrape."""
    found = {}
    for line in text.splitlines():
        if match := SAMPLE.match(line):
            found[match[1] + (match[2] or "")] = float(match[3])
    return found


def scrape(daemon):
    return samples(scrape_text(daemon))
