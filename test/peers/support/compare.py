"""Tells rows in a peer's tables from those that the account serves."""

import json
from datetime import datetime, timezone

from simulator import by_key


def differences(stream, rows, truth, gone=()):
    """
    What is wrong with a table: rows that lack, that nobody served, or that say something else.

    `gone` are keys that were served before and may have stayed.
    """
    found = by_key(stream, rows)
    for key in truth.keys() - found.keys():
        yield f"{stream} {key} lacks"
    for key in found.keys() - truth.keys() - set(gone):
        yield f"{stream} {key} was never served"
    for key in truth.keys() & found.keys():
        yield from _columns(f"{stream} {key}", found[key], truth[key])


def _columns(place, found, served):
    for name in found.keys() & served.keys():
        if not same(found[name], served[name]):
            yield f"{place}: {name} is {found[name]!r}, served {served[name]!r}"


def same(found, served):
    """Whether a column holds what was served, whatever type the peer keeps it in."""
    if isinstance(served, (dict, list)) and isinstance(found, str):
        found = json.loads(found)
    if isinstance(served, dict) and isinstance(found, dict):
        # Members that are null may be left out, on either side.
        names = found.keys() | served.keys()
        return all(same(found.get(name), served.get(name)) for name in names)
    if isinstance(served, list) and isinstance(found, list):
        return len(found) == len(served) and all(map(same, found, served))
    if isinstance(served, (dict, list, bool, type(None))) or found is None:
        return type(found) is type(served) and found == served
    if isinstance(served, (int, float)):
        return float(found) == float(served)
    return found == served or _instant(found) == _instant(served)


def _instant(value):
    """A day or an instant, whichever way it is written; anything else as it is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return value
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return zoned.astimezone(timezone.utc)
    return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
