"""The escaping of names from processes and cgroups, written a second time to check the first."""

HARMFUL = [(0x00, 0x1F), (0x7F, 0x9F), (0x061C, 0x061C), (0x200B, 0x200F), (0x2028, 0x202E),
           (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F)]


def is_harmful(char):
    return any(first <= ord(char) <= last for first, last in HARMFUL)


def escape_untrusted(raw):
    """Bytes as an event shows them: printable UTF-8, everything else \\xNN, a backslash doubled."""
    out = []
    # Invalid bytes become lone surrogates U+DC80..U+DCFF, which valid UTF-8 cannot hold.
    for char in raw.decode("utf-8", "surrogateescape"):
        if 0xDC80 <= ord(char) <= 0xDCFF:
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif is_harmful(char):
            out.extend(f"\\x{byte:02x}" for byte in char.encode())
        else:
            out.append("\\\\" if char == "\\" else char)
    return "".join(out)


def is_printable(text):
    return not any(is_harmful(char) for char in text)


def unescape_kmsg(text):
    """The raw bytes behind a /dev/kmsg record: it writes anything unprintable as \\xNN."""
    out = bytearray()
    i = 0
    while i < len(text):
        if text.startswith("\\x", i) and len(text) >= i + 4:
            out.append(int(text[i + 2:i + 4], 16))
            i += 4
        else:
            out += text[i].encode()
            i += 1
    return bytes(out)
