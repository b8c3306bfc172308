"""Every cell of a journey map as one long table, for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from percorso.analyses.result import Result

__all__ = ["map_cells"]

_SCHEMA = pa.schema(
    [
        ("stage", pa.string()),
        ("lane", pa.string()),
        ("item", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("n", pa.int64()),
        ("count", pa.int64()),
        ("note", pa.string()),
    ]
)

#: What is said of a stage as a whole: item, column, unit, its interval, what it is of.
_OF_STAGE = (
    ("persons", "persons", "count", "", "persons"),
    ("share of persons", "share", "share", "", "persons"),
    ("inbound contacts", "inbound_contacts", "count", "", "persons"),
    ("contacts each", "contacts_each", "ratio", "contacts", "persons"),
    ("time in the stage, median", "time_median_s", "duration", "", "persons"),
    ("got further", "next_share", "share", "next", "entered"),
    ("abandoned here", "exit_share", "share", "exit", "journeys"),
    ("in it now", "now", "count", "", "persons"),
    ("orders", "orders", "count", "", "orders"),
    ("value", "value", "money", "", "orders"),
)


def map_cells(answer: Result) -> pa.Table:
    """The cells: stage, lane, item, value, unit, interval, n, count, note.

    Values are shares from 0 to 1, seconds, units of the currency, counts; null where not known, and the note says why.
    """
    rows = [
        *_stages(answer),
        *_lanes(answer),
        *_feedback(answer),
        *_signals(answer),
        *_paths(answer, "moves", "next", "to"),
        *_paths(answer, "exits", "exits", "touchpoint"),
        *_goals(answer),
        *_kpis(answer),
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _rows(answer: Result, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = answer.tables[table].to_pylist()
    return rows


def _row(stage: str, lane: str, item: str, value: Any, unit: str, **rest: Any) -> Mapping[str, Any]:
    return {
        "stage": stage,
        "lane": lane,
        "item": item,
        "value": None if value is None else float(value),
        "unit": unit,
    } | rest


def _stages(answer: Result) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, "stages"):
        for item, name, unit, interval, n in _OF_STAGE:
            low, high = (row[f"{interval}_{end}"] if interval else None for end in ("low", "high"))
            if name == "share":
                low, high = row["low"], row["high"]
            yield _row(row["stage"], "stage", item, row[name], unit, low=low, high=high, n=row[n])


def _lanes(answer: Result) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, "cells"):
        rest = {"low": row["low"], "high": row["high"], "n": row["persons"], "count": row["number"]}
        note = f"{row['items']} others" if row["items"] > 1 else ""
        yield _row(row["stage"], row["lane"], row["item"], row["share"], "share", **rest, note=note)


def _feedback(answer: Result) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, "feedback"):
        kind = f"{row['kind']}: {row['survey']}" if row["survey"] else row["kind"]
        interval = {"low": row["low"], "high": row["high"]}
        yield _row(row["stage"], "emotion", kind, row["satisfaction"], "share", **interval, n=row["n"])
        if row["nps"] is not None:
            interval = {"low": row["nps_low"], "high": row["nps_high"]}
            yield _row(row["stage"], "experience", kind, row["nps"], "score", **interval, n=row["n"])
        elif row["good"] is not None:
            interval = {"low": row["good_low"], "high": row["good_high"]}
            yield _row(row["stage"], "experience", kind, row["good"], "share", **interval, n=row["n"])
        if row["mean"] is not None:
            yield _row(row["stage"], "experience", kind, row["mean"], "mean", n=row["n"])


def _signals(answer: Result) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, "signals"):
        rest = {"low": row["low"], "high": row["high"], "n": row["n"], "count": row["hits"]}
        yield _row(row["stage"], "signals", row["signal"], row["share"], "share", **rest)


def _paths(answer: Result, table: str, lane: str, item: str) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, table):
        yield _row(row["stage"], lane, row[item], row["share"], "share", count=row["count"])


def _goals(answer: Result) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, "goals"):
        for who in ("customer", "brand"):
            if row[who]:
                yield _row(row["stage"], "goals", who, None, "", note=row[who])


def _kpis(answer: Result) -> Iterable[Mapping[str, Any]]:
    for row in _rows(answer, "kpis"):
        rest = {"low": row["low"], "high": row["high"], "n": row["n"], "note": row["note"]}
        yield _row(row["stage"], "kpis", row["kpi"], row["value"], row["unit"], **rest)
