"""A journey log from plain Python lists, for tests of analyses: no lake, no build.

Give each event as a `Row`; what is left out is "none". Sessions, journeys and orders exist as far as rows name them:
``journey="j1"`` puts an event into the person's journey of that name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.events.details import DETAIL_TYPE
from percorso.store.journey_log import (
    CODED_COLUMNS,
    FLAG_BOT,
    FLAG_FUTURE,
    FLAG_HEAVY,
    FLAG_SAME_ORDER,
    LOG_FORMAT,
    JourneyLog,
    open_log,
    swap_manifest,
)
from percorso.store.log_files import coded_column, write_table

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ALL_FLAGS = tuple(1 << bit for bit in range(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event; `coded` holds values of coded columns other than `event`, also ``prop.NAME``."""

    person: str
    time: int
    event: str
    coded: dict[str, str] = field(default_factory=dict)
    value: int = 0
    score: float = float("nan")
    session: str = ""
    contact: int = -1
    journey: str = ""
    flags: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """What is known of a journey beyond its events; by default an open purchase journey."""

    person: str
    name: str
    kind: str = "purchase"
    goal_time: int = -1
    timeout: int = 30 * DAY
    value: int = 0
    currency: str = ""


def person_id(person: str) -> bytes:
    """The 16-byte id that the log gives the person."""
    return hashlib.blake2b(person.encode(), digest_size=16).digest()


def build_test_log(
    folder: Path,
    rows: Sequence[Row],
    *,
    n_buckets: int = 4,
    journeys: Sequence[Journey] = (),
    persons: dict[str, dict[str, Any]] | None = None,
    as_of: int | None = None,
) -> JourneyLog:
    """Write a log and open it.

    Parameters
    ----------
    folder : Path
    rows : sequence of Row
        In any order of persons; events of one person and one time stay in the given order.
    n_buckets : int
        Persons are dealt to buckets by their id.
    journeys : sequence of Journey, optional
    persons : dict, optional
        Fields of persons beyond the derived ones: kind, country, device, first_channel, first_place, traits, n_orders.
    as_of : int, optional
        Default: the newest event.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_bucket: list[list[Row]] = [[] for _ in range(n_buckets)]
    for row in rows:
        of_bucket[person_id(row.person)[0] % n_buckets].append(row)
    named = {(journey.person, journey.name): journey for journey in journeys}
    properties = sorted({name for row in rows for name in row.coded if name.startswith("prop.")})
    metas = [
        _write_bucket(folder, index, part, named, persons or {}, properties) for index, part in enumerate(of_bucket)
    ]
    nobody = _write_bucket(folder, n_buckets, [], named, {}, properties)
    newest = max((row.time for row in rows if not row.flags & FLAG_FUTURE), default=0)
    version = hashlib.sha256(repr([meta["files"] for meta in metas]).encode()).hexdigest()
    swap_manifest(
        folder,
        {
            "format": LOG_FORMAT,
            "data_version": version,
            "as_of_us": newest if as_of is None else as_of,
            "buckets": metas,
            "cold": {},
            "unidentified": nobody,
        },
    )
    log = open_log(folder)
    assert log is not None
    return log


def _write_bucket(
    folder: Path,
    index: int,
    rows: list[Row],
    journeys: dict[tuple[str, str], Journey],
    persons: dict[str, dict[str, Any]],
    properties: list[str],
) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: (person_id(row.person), row.time))
    names = sorted({row.person for row in rows}, key=person_id)
    sessions = sorted({(row.person, row.session) for row in rows if row.session}, key=_by_id)
    paths = sorted({(row.person, row.journey) for row in rows if row.journey}, key=_by_id)
    tables = {
        "events": _events(ordered, sessions, paths, properties),
        "persons": _persons(ordered, names, persons),
        "sessions": _sessions(ordered, names, sessions),
        "journeys": _journeys(ordered, names, paths, journeys),
        "orders": _no_orders(),
        "details": _no_details(),
    }
    counts = {str(flag): sum(1 for row in rows if row.flags & flag) for flag in ALL_FLAGS}
    return {
        "index": index,
        "n_events": len(rows),
        "n_persons": len(names),
        "files": {name: write_table(folder, name, batch) for name, batch in tables.items()},
        "flag_counts": {flag: n for flag, n in counts.items() if n},
        "min_time_us": min((row.time for row in rows), default=None),
        "max_time_us": max((row.time for row in rows), default=None),
    }


def _by_id(key: tuple[str, str]) -> tuple[bytes, str]:
    return person_id(key[0]), key[1]


def _coded(values: list[str]) -> pa.DictionaryArray[Any, Any]:
    distinct = sorted(set(values), key=str.encode)
    code = {value: position for position, value in enumerate(distinct)}
    codes = np.array([code[value] for value in values], dtype=np.int64)
    return coded_column(codes, pa.array(distinct, type=pa.string()))


def _events(
    rows: list[Row], sessions: list[tuple[str, str]], journeys: list[tuple[str, str]], properties: list[str]
) -> pa.RecordBatch:
    session_of = {key: position for position, key in enumerate(sessions)}
    journey_of = {key: position for position, key in enumerate(journeys)}
    columns: dict[str, Any] = {"time": pa.array([row.time for row in rows], pa.int64())}
    for name in (*CODED_COLUMNS, *properties):
        columns[name] = _coded([row.event if name == "event" else row.coded.get(name, "") for row in rows])
    columns["value"] = pa.array([row.value for row in rows], pa.int64())
    columns["score"] = pa.array(np.array([row.score for row in rows], dtype=np.float64))
    columns["session"] = pa.array([session_of.get((row.person, row.session), -1) for row in rows], pa.int32())
    columns["contact"] = pa.array([row.contact for row in rows], pa.int32())
    columns["journey"] = pa.array([journey_of.get((row.person, row.journey), -1) for row in rows], pa.int32())
    columns["order"] = pa.array([-1] * len(rows), pa.int32())
    columns["flags"] = pa.array([row.flags for row in rows], pa.uint16())
    return pa.RecordBatch.from_pydict(columns)


def _persons(rows: list[Row], names: list[str], given: dict[str, dict[str, Any]]) -> pa.RecordBatch:
    of: dict[str, list[Row]] = {name: [] for name in names}
    for row in rows:
        of[row.person].append(row)
    starts = np.cumsum([0, *(len(of[name]) for name in names)])[: len(names)]
    extra = [given.get(name, {}) for name in names]
    flags = [
        (FLAG_HEAVY if any(row.flags & FLAG_HEAVY for row in of[name]) else 0)
        | (FLAG_BOT if all(row.flags & FLAG_BOT for row in of[name]) else 0)
        for name in names
    ]
    return pa.RecordBatch.from_pydict(
        {
            "person_id": pa.array([person_id(name) for name in names], pa.binary(16)),
            "start": pa.array(starts, pa.int64()),
            "n_events": pa.array([len(of[name]) for name in names], pa.int32()),
            "first_time": pa.array([of[name][0].time for name in names], pa.int64()),
            "last_time": pa.array([of[name][-1].time for name in names], pa.int64()),
            "n_sessions": pa.array([len({row.session for row in of[name]} - {""}) for name in names], pa.int32()),
            "n_orders": pa.array(
                [_n_orders(of[name], more) for name, more in zip(names, extra, strict=True)], pa.int32()
            ),
            "first_order_time": pa.array([-1] * len(names), pa.int64()),
            "last_order_time": pa.array([-1] * len(names), pa.int64()),
            "kind": _coded([more.get("kind", "identified") for more in extra]),
            "flags": pa.array(flags, pa.uint16()),
            "first_channel": _coded([more.get("first_channel", "") for more in extra]),
            "first_place": _coded([more.get("first_place", "") for more in extra]),
            "country": _coded([more.get("country", "") for more in extra]),
            "device": _coded([more.get("device", "") for more in extra]),
            "traits": pa.array([more.get("traits", "") for more in extra], pa.string()),
        }
    )


def _n_orders(rows: list[Row], more: dict[str, Any]) -> int:
    orders = sum(1 for row in rows if row.event == "Order Completed" and not row.flags & FLAG_SAME_ORDER)
    return int(more.get("n_orders", orders))


def _rows_of(keys: list[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
    of: dict[tuple[str, str], list[int]] = {}
    for at, key in enumerate(keys):
        of.setdefault(key, []).append(at)
    return of


def _persons_of(names: list[str], keys: list[tuple[str, str]]) -> pa.Array[Any]:
    position = {name: at for at, name in enumerate(names)}
    return pa.array([position[person] for person, _ in keys], pa.int32())


def _sessions(rows: list[Row], names: list[str], keys: list[tuple[str, str]]) -> pa.RecordBatch:
    of = _rows_of([(row.person, row.session) for row in rows])
    first = [rows[of[key][0]] for key in keys]
    coded = {
        name: _coded([row.coded.get(name, "") for row in first])
        for name in ("place", "channel", "channel_rule", "campaign", "device", "source")
    }
    return pa.RecordBatch.from_pydict(
        {
            "person": _persons_of(names, keys),
            "start": pa.array([row.time for row in first], pa.int64()),
            "end": pa.array([rows[of[key][-1]].time for key in keys], pa.int64()),
            "first_event": pa.array([of[key][0] for key in keys], pa.int32()),
            "n_events": pa.array([len(of[key]) for key in keys], pa.int32()),
            **coded,
            "landing": _coded([row.coded.get("page", "") for row in first]),
            "engaged": pa.array([1] * len(keys), pa.uint8()),
        }
    )


def _journeys(
    rows: list[Row], names: list[str], keys: list[tuple[str, str]], given: dict[tuple[str, str], Journey]
) -> pa.RecordBatch:
    known = [given.get(key) or Journey(person=key[0], name=key[1]) for key in keys]
    of = _rows_of([(row.person, row.journey) for row in rows])
    n = len(keys)
    minus_one = pa.array([-1] * n, pa.int32())
    return pa.RecordBatch.from_pydict(
        {
            "person": _persons_of(names, keys),
            "kind": _coded([journey.kind for journey in known]),
            "start": pa.array([rows[of[key][0]].time for key in keys], pa.int64()),
            "end": pa.array([rows[of[key][-1]].time for key in keys], pa.int64()),
            "intent": pa.array([rows[of[key][-1]].time for key in keys], pa.int64()),
            "timeout": pa.array([journey.timeout for journey in known], pa.int64()),
            "goal_time": pa.array([journey.goal_time for journey in known], pa.int64()),
            "goal_event": minus_one,
            "last_inbound": minus_one,
            "n_events": pa.array([len(of[key]) for key in keys], pa.int32()),
            "n_contacts": pa.array([1] * n, pa.int32()),
            "n_sessions": pa.array([1] * n, pa.int32()),
            "value": pa.array([journey.value for journey in known], pa.int64()),
            "currency": _coded([journey.currency for journey in known]),
            "order": minus_one,
            "first_channel": _coded([rows[of[key][0]].coded.get("channel", "") for key in keys]),
            "first_place": _coded([rows[of[key][0]].coded.get("place", "") for key in keys]),
            "stage_reached": _coded([""] * n),
            "first_event": pa.array([of[key][0] for key in keys], pa.int32()),
        }
    )


def _no_details() -> pa.RecordBatch:
    every = {
        field.name: _coded([]) if pa.types.is_string(field.type) else pa.array([], field.type) for field in DETAIL_TYPE
    }
    return pa.RecordBatch.from_pydict({"event": pa.array([], pa.int32()), **every, "talk": pa.array([], pa.int32())})


def _no_orders() -> pa.RecordBatch:
    """Orders as such don't exist here; what is an order is told by flags and goals."""
    numbers = ("person", "event", "journey", "purchase")
    times = ("time", "value", "ended", "delivered", "refunded", "returned", "promised", "contacted")
    return pa.RecordBatch.from_pydict(
        {name: pa.array([], pa.int32()) for name in numbers}
        | {name: pa.array([], pa.int64()) for name in times}
        | {"advocated": pa.array([], pa.uint8())}
        | {name: _coded([]) for name in ("place", "channel", "currency", "status")}
    )
