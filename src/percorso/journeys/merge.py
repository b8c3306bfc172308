"""Put a bucket together from what stays of it and from its persons that were built anew.

What a bucket says of a person depends on that person alone, and its rows stand in the order of persons. So
the new bucket is runs of old persons with runs of new ones between them: columns are copied run by run,
numbers of rows move with the rows they stand for, and codes are counted anew where a value came or went.
The unidentified bucket is merged in the same way, month by month.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.journeys.columns import record_batch
from percorso.journeys.merge_columns import Moves, Numbers, Pieces, merge_column, merge_reference
from percorso.journeys.write import Unchanged
from percorso.kernels.segments import contacts_before, count_before
from percorso.store.cold import month_key, month_of_time, plain_text
from percorso.store.journey_log import TABLES, Bucket

__all__ = ["merge_tables"]

#: Columns that hold row numbers of other tables; contacts have numbers and no table.
_REFERENCES: Mapping[str, Mapping[str, str]] = {
    "events": {"session": "sessions", "contact": "contacts", "journey": "journeys", "order": "orders"},
    "persons": {"start": "events"},
    "sessions": {"person": "persons", "first_event": "events"},
    "journeys": {
        "person": "persons",
        "goal_event": "events",
        "last_inbound": "events",
        "order": "orders",
        "first_event": "events",
    },
    "orders": {"person": "persons", "event": "events", "journey": "journeys", "purchase": "journeys"},
    "items": {"event": "events"},
    "order_keys": {"event": "events"},
}

#: The column of events by which the rows of a table ascend.
_EVENT = {"sessions": "first_event", "orders": "event", "items": "event", "order_keys": "event"}

Tables = Mapping[str, pa.RecordBatch]


def merge_tables(
    old: Bucket, fragment: Tables, touched: npt.NDArray[Any], months: Container[int] | None = None
) -> dict[str, pa.RecordBatch | Unchanged]:
    """A bucket without the persons that are touched, and with those of the fragment.

    Parameters
    ----------
    old : Bucket
        The bucket as it stands in the log.
    fragment : mapping
        Tables of persons built anew, as percorso.journeys.tables.bucket_tables gives them.
    touched : uint8, shape (n, 16), or int64, shape (n,)
        Ids of the persons that leave the old bucket, in any order; those that are not in it do no harm. Of the
        unidentified: months, counted from January 1970.
    months : container of int, optional
        Months in which rows came, went, or changed their person or time; the others' cold tables stay as they are,
        and the fragment need not have them. None: find out by comparing.

    Returns
    -------
    dict
        The tables, with the bytes of those of a bucket built at once. A cold table whose rows are what they were
        is told by its file.

    Raises
    ------
    ValueError
        A person of the fragment stays in the old bucket too.
    """
    before = {name: old.table(name).batch for name in TABLES}
    persons = touched.ndim == 2
    sides = (_groups(before, persons), _groups(fragment, persons))
    runs = _runs(sides[0].keys, sides[1].keys, _ids(touched) if persons else touched.astype(np.int64))
    pieces = {name: _pieces(name, runs, *sides) for name in (*TABLES, "contacts")}
    merged: dict[str, pa.RecordBatch | Unchanged] = {
        name: _merge_table(before[name], fragment[name], pieces[name], _REFERENCES[name], pieces) for name in TABLES
    }
    return merged | _merge_cold(old, fragment, runs, pieces["events"], months)


@dataclass(frozen=True, slots=True)
class _Groups:
    """The persons (or months) of one side."""

    keys: npt.NDArray[Any]
    tables: Tables
    offsets: Numbers  # of their events, shape (n_groups + 1,)
    contacts: Numbers  # before each, shape (n_groups + 1,)

    def rows(self, table: str, groups: Numbers) -> Numbers:
        """First row of each of the groups in a table."""
        found: Numbers
        if table in ("events", "contacts"):
            found = (self.offsets if table == "events" else self.contacts)[groups]
        elif table == "persons":
            found = np.minimum(groups, self.tables["persons"].num_rows)
        else:
            # Journeys may have no event; they stand by person, and nobody has any.
            by_person = table == "journeys"
            column = self.tables[table].column("person" if by_person else _EVENT[table]).to_numpy()
            found = np.searchsorted(column, groups if by_person else self.offsets[groups]).astype(np.int64)
        return found


def _groups(tables: Tables, persons: bool) -> _Groups:
    events = tables["events"]
    if persons:
        ids = tables["persons"].column("person_id")
        content = np.frombuffer(ids.buffers()[1] or b"", dtype=np.uint8).reshape(-1, 16)
        keys, first = _ids(content[ids.offset : ids.offset + len(ids)]), tables["persons"].column("start").to_numpy()
    else:
        # In the total order, so by month.
        keys, first = np.unique(month_of_time(events.column("time").to_numpy()), return_index=True)
    offsets = np.append(first, events.num_rows).astype(np.int64)
    return _Groups(keys, tables, offsets, contacts_before(offsets, events.column("contact").to_numpy()))


def _ids(ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    """Ids as texts, which compare like their bytes."""
    return np.ascontiguousarray(ids).reshape(-1).view("S16")


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of groups in the order of the merged bucket, and the old groups that are left out.

    Attributes
    ----------
    first, last : int64, shape (n_runs,)
        First group of a run in its side, and the one after its end.
    is_new : bool, shape (n_runs,)
    gone_first, gone_last : int64, shape (n_gone_runs,)
        The same for runs of old groups that are left out.
    """

    first: Numbers
    last: Numbers
    is_new: npt.NDArray[np.bool_]
    gone_first: Numbers
    gone_last: Numbers


def _runs(old: npt.NDArray[Any], new: npt.NDArray[Any], touched: npt.NDArray[Any]) -> _Runs:
    at = np.searchsorted(old, touched)
    gone = np.unique(at[_are(old, at, touched)])
    place = np.searchsorted(old, new)
    if not np.isin(place[_are(old, place, new)], gone).all():
        raise ValueError("a person of the fragment stays in the old bucket")
    cuts = np.unique(np.concatenate([[0, len(old)], gone, gone + 1, place])).astype(np.int64)
    kept = ~np.isin(cuts[:-1], gone)
    heads = np.flatnonzero(np.diff(place, prepend=-1))
    first = np.concatenate([cuts[:-1][kept], heads])
    last = np.concatenate([cuts[1:][kept], np.append(heads[1:], len(new))[: len(heads)]])
    is_new = np.repeat([False, True], [int(kept.sum()), len(heads)])
    # What comes in at an old group stands before it.
    order = np.argsort(np.concatenate([2 * cuts[:-1][kept] + 1, 2 * place[heads]]), kind="stable")
    return _Runs(first[order], last[order], is_new[order], *_ranges_of(gone))


def _ranges_of(groups: Numbers) -> tuple[Numbers, Numbers]:
    """First group of each run of neighbours, and the one after its end."""
    heads = np.flatnonzero(np.diff(groups, prepend=-2) != 1)
    tails = np.append(heads[1:], len(groups))[: len(heads)] - 1
    return groups[heads], groups[tails] + 1


def _are(old: npt.NDArray[Any], at: npt.NDArray[np.intp], keys: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which of the keys stand at their places among the old ones."""
    there = at < len(old)
    there[there] = old[at[there]] == keys[there]
    return there


def _pieces(table: str, runs: _Runs, old: _Groups, new: _Groups) -> Pieces:
    start, end = (np.empty(len(groups), dtype=np.int64) for groups in (runs.first, runs.last))
    for side, mine in ((old, ~runs.is_new), (new, runs.is_new)):
        start[mine] = side.rows(table, runs.first[mine])
        end[mine] = side.rows(table, runs.last[mine])
    first, last = old.rows(table, runs.gone_first), old.rows(table, runs.gone_last)
    return Pieces.in_order(start, end - start, runs.is_new, Moves.one_after_another(first, last - first))


def _merge_table(
    old: pa.RecordBatch,
    new: pa.RecordBatch,
    pieces: Pieces,
    references: Mapping[str, str] = {},
    every: Mapping[str, Pieces] = {},
) -> pa.RecordBatch:
    columns = {}
    for name in old.schema.names:
        sides = old.column(name), new.column(name)
        target = references.get(name)
        columns[name] = merge_reference(*sides, pieces, every[target]) if target else merge_column(*sides, pieces)
    return record_batch(columns)


def _merge_cold(
    old: Bucket, fragment: Tables, runs: _Runs, events: Pieces, months: Container[int] | None
) -> dict[str, pa.RecordBatch | Unchanged]:
    """The cold tables: a month is merged only if it has other rows than before."""
    before = _Months.of_events(old.events.values("time"), events.old, events.gone)
    now = _Months.of_events(fragment["events"].column("time").to_numpy(), events.new)
    merged: dict[str, pa.RecordBatch | Unchanged] = {}
    for month in sorted({*before.rows, *now.rows}):
        key = month_key(month)
        if months is not None and month not in months:
            merged[key] = Unchanged(old.meta["files"][key])
            continue
        if month not in before.rows:
            merged[key] = fragment[key]
            continue
        pieces = _month_pieces(runs, before.rows[month], now.rows.get(month, now.none))
        if _same(old, fragment, key, pieces):
            merged[key] = Unchanged(old.meta["files"][key])
        elif pieces.n_rows:
            table = old.table(key).batch
            merged[key] = _merge_table(table, fragment.get(key, table.slice(0, 0)), pieces)
    return merged


@dataclass(frozen=True, slots=True)
class _Months:
    """Runs of events within the cold tables of their months.

    Attributes
    ----------
    rows : dict
        Month -> for each kind of run (old or new, and those left out) first row and number of rows in its table.
    none : list
        The same for a month without any.
    """

    rows: dict[int, list[tuple[Numbers, Numbers]]]
    none: list[tuple[Numbers, Numbers]]

    @staticmethod
    def of_events(time: npt.NDArray[np.int64], *moves: Moves) -> _Months:
        month = month_of_time(time)
        first = int(month.min()) if len(month) else 0
        counts = np.bincount(month - first)
        present = np.flatnonzero(counts)
        position = np.cumsum(counts > 0, dtype=np.int32) - np.int32(1)
        bounds = np.concatenate([ends for one in moves for ends in (one.start, one.end)])
        ascending, back = np.unique(bounds, return_inverse=True)
        before = count_before(position[month - first], ascending, len(present))
        nothing = [(np.zeros(len(one.start), dtype=np.int64),) * 2 for one in moves]
        return _Months({int(present[k]) + first: _ranges(before[k][back], moves) for k in range(len(present))}, nothing)


def _ranges(ends: Numbers, moves: Sequence[Moves]) -> list[tuple[Numbers, Numbers]]:
    found, at = [], 0
    for one in moves:
        n = len(one.start)
        start, end = ends[at : at + n], ends[at + n : at + 2 * n]
        found.append((start, end - start))
        at += 2 * n
    return found


def _month_pieces(
    runs: _Runs, old: Sequence[tuple[Numbers, Numbers]], new: Sequence[tuple[Numbers, Numbers]]
) -> Pieces:
    """Pieces of a month's table."""
    start, length = (np.empty(len(runs.first), dtype=np.int64) for _ in range(2))
    for mine, found in ((~runs.is_new, old[0]), (runs.is_new, new[0])):
        start[mine], length[mine] = found
    return Pieces.in_order(start, length, runs.is_new, Moves.one_after_another(*old[1]))


def _same(old: Bucket, fragment: Tables, key: str, pieces: Pieces) -> bool:
    """Do the new rows of a month say what the rows left out said, in the same places?"""
    gone, new = pieces.gone, pieces.new
    if int(gone.length.sum()) != int(new.length.sum()):
        return False
    if key not in fragment:
        return True
    # How many of the rows that stay are before each row.
    before_gone = np.repeat(gone.start - gone.to, gone.length)
    before_new = np.repeat(new.to - (np.cumsum(new.length) - new.length), new.length)
    if not np.array_equal(before_gone, before_new):
        return False
    left = old.table(key).batch.take(pa.array(gone.rows()))
    sides = zip(left.columns, fragment[key].columns, strict=True)
    return all(plain_text(one).equals(plain_text(other)) for one, other in sides)
