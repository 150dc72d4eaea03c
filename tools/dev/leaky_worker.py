#!/usr/bin/env python3
"""A worker that reads pages of scanned documents and never forgets one: the demo's culprit.

It is what such workers look like: a cache that was meant to save work, keyed by something that never
repeats, so it only grows.
"""

import hashlib
import random
import time

PAGE_BYTES = 1 << 20
PAGES_PER_BATCH = 8
BATCHES_PER_SECOND = 8

_page_cache = {}


def decode_page(document, number):
    """The pixels of a page; stands in for an image decoder."""
    seed = hashlib.sha256(f"{document}/{number}".encode()).digest()
    return bytearray(seed * (PAGE_BYTES // len(seed)))


def recognise(pixels):
    """Text of a page; stands in for the recognition itself."""
    return f"{len(pixels)} pixels, {pixels[0]} first"


def process_batch(document):
    """Reads the pages of a document, and keeps each one."""
    texts = []
    for number in range(PAGES_PER_BATCH):
        key = (document, number)
        if key not in _page_cache:
            _page_cache[key] = decode_page(document, number)
        texts.append(recognise(_page_cache[key]))
    return texts


def main():
    """Works until something stops it."""
    while True:
        process_batch(f"document-{random.getrandbits(64):016x}")
        time.sleep(1 / BATCHES_PER_SECOND)


if __name__ == "__main__":
    main()
