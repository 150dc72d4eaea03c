"""Reading an event's JSON (protobuf's mapping: lowerCamelCase, 64-bit numbers as strings)."""

import json


def _snake(name):
    return "".join("_" + char.lower() if char.isupper() else char for char in name)


def normalize(value, key=""):
    """snake_case keys, and numbers as numbers."""
    if isinstance(value, dict):
        if key == "annotations":
            return value
        return {_snake(name): normalize(item, _snake(name)) for name, item in value.items()}
    if isinstance(value, list):
        return [normalize(item, key) for item in value]
    numeric = key == "id" or key.endswith(
        ("_bytes", "_ns", "_pages", "_id", "_total", "_events", "count"))
    if isinstance(value, str) and numeric and value.lstrip("-").isdigit() and key != "event_id":
        return int(value)
    return value


def parse_events(text):
    """Events from `-o json` (one object, a list, or a response with `events`) or `-o jsonl`."""
    decoder = json.JSONDecoder()
    events, rest = [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()
        if isinstance(value, dict) and "events" in value:
            value = value["events"]
        for event in value if isinstance(value, list) else [value]:
            events.append(normalize(event.get("event", event)))
    return events
