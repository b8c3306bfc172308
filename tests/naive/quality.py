"""The quality of data, counted one event at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.log_builder import Row

BOT, HEAVY, FUTURE, COPY = 1, 2, 4, 8


def sources(rows: Iterable[Row], start: int, end: int, as_of: int) -> dict[str, dict[str, Any]]:
    """By source: events by what is the matter with them, first and newest time."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row.coded.get("source", "")
        zeros = dict.fromkeys(("events", "bots", "heavy", "future", "order_copies", "stageless"), 0)
        one = found.setdefault(name, {**zeros, "times": []})
        is_future = bool(row.flags & FUTURE)
        if not is_future and row.time <= as_of:
            one["times"].append(row.time)
        if row.time < start or row.time >= end or (row.time > as_of and not is_future):
            continue
        one["events"] += 1
        one["bots"] += bool(row.flags & BOT)
        one["heavy"] += bool(row.flags & HEAVY)
        one["future"] += is_future
        one["order_copies"] += bool(row.flags & COPY)
        is_in = not row.flags & (BOT | HEAVY | FUTURE | COPY)
        is_inbound = row.coded.get("direction") == "inbound"
        one["stageless"] += is_in and is_inbound and not row.coded.get("stage", "")
    return found


def active(rows: Iterable[Row], start: int, end: int, as_of: int, *, bots: bool) -> tuple[int, int]:
    """Persons with an event that is in, and the number of events that are."""
    out = HEAVY | FUTURE | COPY | (0 if bots else BOT)
    inside = [row for row in rows if start <= row.time < min(end, as_of + 1) and not row.flags & out]
    return len({row.person for row in inside}), len(inside)
