"""Lengths of journeys in plain Python: the twin of percorso.kernels.journey_measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass
class Row:
    """One event of a journey, in the order of the log. None: the event has no such thing."""

    number: int
    time: int
    day: date
    contact: int | None
    session: int | None
    kept: bool


def measures(rows: Sequence[Row], as_of: int, goal: int | None) -> list[int]:
    """Events, contacts, sessions, days; and contacts, sessions, days up to the event number `goal`."""
    seen = [row for row in rows if row.time <= as_of]
    found = _lengths(seen)
    if goal is None or all(row.number != goal for row in seen):
        return [*found, 0, 0, 0]
    return [*found, *_lengths([row for row in seen if row.number <= goal])[1:]]


def _lengths(rows: Sequence[Row]) -> list[int]:
    kept = [row for row in rows if row.kept]
    contacts = {row.contact for row in kept if row.contact is not None}
    sessions = {row.session for row in kept if row.session is not None}
    return [len(kept), len(contacts), len(sessions), len({row.day for row in kept})]
