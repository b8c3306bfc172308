"""Put a bucket together from what stays of it and from its persons that were built anew.

What a bucket says of a person depends on that person alone, and its rows stand in the order of persons. So
the new bucket is runs of old persons with runs of new ones between them: columns are copied run by run,
numbers of rows move with the rows they stand for, and codes are counted anew where a value came or went.
The unidentified bucket is merged in the same way, month by month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.journeys.columns import record_batch
from percorso.journeys.merge_columns import Moves, Numbers, Pieces, merge_column, merge_reference
from percorso.kernels.segments import contacts_before
from percorso.store.cold import month_of_time
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
    "details": {"event": "events", "talk": "events"},
    "items": {"event": "events"},
    "order_keys": {"event": "events"},
    "traits": {"event": "events"},
}

#: The column of events by which the rows of a table ascend.
_EVENT = {"sessions": "first_event"} | dict.fromkeys(("orders", "items", "order_keys", "traits", "details"), "event")

Tables = Mapping[str, pa.RecordBatch]


def merge_tables(old: Bucket, fragment: Tables, touched: npt.NDArray[Any]) -> dict[str, pa.RecordBatch]:
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

    Returns
    -------
    dict
        The tables, with the bytes of those of a bucket built at once.

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
    return {
        name: _merge_table(before[name], fragment[name], pieces[name], _REFERENCES[name], pieces) for name in TABLES
    }


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
    references: Mapping[str, str],
    every: Mapping[str, Pieces],
) -> pa.RecordBatch:
    columns = {}
    for name in old.schema.names:
        sides = old.column(name), new.column(name)
        target = references.get(name)
        columns[name] = merge_reference(*sides, pieces, every[target]) if target else merge_column(*sides, pieces)
    return record_batch(columns)
