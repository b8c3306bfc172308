"""What an import touched: persons to build anew, and where their rows stand in the journey log that is there.

The placement says which rows differ from the last build. A person is touched who gains, loses or keeps such a row;
all rows of touched persons are built again, those of all others stay as they are, byte by byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_ranges
from percorso.identity.placement import NOBODY, Placement
from percorso.identity.state import IdentityState
from percorso.identity.units import unit_ids
from percorso.journeys.numbering import buckets_of
from percorso.kernels.sorting import group_rows, sort_groups
from percorso.store.cold import month_of_time
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["Mismatch", "OldRows", "Touched", "find_old_rows", "find_touched", "units_of"]


class Mismatch(Exception):
    """The identity state and the journey log do not fit together; a full build mends it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What has to be built again.

    Attributes
    ----------
    before, now : int64, shape (n,)
        Touched units with rows in the last build, and with rows now; not nobody.
    months : int32
        Touched months of nobody's rows, counted from January 1970.
    rows_before, rows_now : int64, shape (n_rows,)
        Rows of touched units and months, in the last build and now, ascending.
    """

    before: npt.NDArray[np.int64]
    now: npt.NDArray[np.int64]
    months: npt.NDArray[np.int32]
    rows_before: npt.NDArray[np.int64]
    rows_now: npt.NDArray[np.int64]


def find_touched(state: IdentityState, placement: Placement) -> Touched:
    """Units of rows that differ, before and now, and all their rows."""
    before, changed = state.arrays, placement.changed
    old = changed[changed < len(before["unit"])]
    unit_before, unit_now = before["unit"][old], placement.unit[changed]
    size = 1 + max(int(np.max(part, initial=0)) for part in (before["unit"], placement.unit))
    marks = np.zeros(size, dtype=np.bool_)
    marks[unit_before[unit_before >= 0]] = True
    marks[unit_now[unit_now >= 0]] = True
    times = [before["time"][old[unit_before == NOBODY]], placement.time[changed[unit_now == NOBODY]]]
    months = np.unique(month_of_time(np.concatenate(times)))
    rows_before = _rows_of(before["unit"], before["time"], marks, months)
    rows_now = _rows_of(placement.unit, placement.time, marks, months)
    units_before, units_now = units_of(before["unit"][rows_before]), units_of(placement.unit[rows_now])
    return Touched(units_before, units_now, months, rows_before, rows_now)


def _rows_of(
    unit: npt.NDArray[np.int32],
    time: npt.NDArray[np.int64],
    marks: npt.NDArray[np.bool_],
    months: npt.NDArray[np.int32],
) -> npt.NDArray[np.int64]:
    # Nobody is -1 and a copy that does not count -2: both read what stands at the end.
    every = np.append(marks, [False, False])

    def of_range(begin: int, end: int) -> npt.NDArray[np.int64]:
        touched = np.take(every, unit[begin:end], mode="wrap")
        if len(months):
            nobodys = np.flatnonzero(unit[begin:end] == NOBODY)
            touched[nobodys[np.isin(month_of_time(time[begin:end][nobodys]), months)]] = True
        return begin + np.flatnonzero(touched)

    return np.concatenate(in_ranges(len(unit), of_range))


def units_of(unit: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Units that rows have, ascending; neither nobody nor copies that do not count."""
    size = int(unit.max(initial=0)) + 1
    found = np.zeros(size + 2, dtype=np.bool_)  # -1 and -2 mark what stands at the end
    found[unit] = True
    return np.flatnonzero(found[:size])


@dataclass(frozen=True, slots=True)
class OldRows:
    """Where rows of the last build stand in its log: bucket and event, aligned with `Touched.rows_before`.

    Nobody's bucket has the number that follows the last.
    """

    bucket: npt.NDArray[np.int64]
    event: npt.NDArray[np.int64]
    #: Ids of the touched persons that the log has, uint8, shape (n, 16), and the bucket of each.
    ids: npt.NDArray[np.uint8]
    bucket_of_id: npt.NDArray[np.int64]

    def by_bucket(self, wanted: npt.NDArray[np.bool_], n_buckets: int) -> list[npt.NDArray[np.int64]]:
        """Positions of the wanted rows of each bucket, nobody's last; in no order."""
        group = np.where(wanted, self.bucket, -1).astype(np.int32)
        order, offsets = group_rows(group, n_buckets + 1)
        return np.split(order, offsets[1:-1])


def find_old_rows(
    log: JourneyLog, state: IdentityState, placement: Placement, touched: Touched, *, secret: bytes
) -> OldRows:
    """Find the events of touched persons in the log: a person's events stand in the total order, as do its rows.

    Raises
    ------
    Mismatch
        A person or a number of events is not as the state says.
    """
    before, rows = state.arrays, touched.rows_before
    pairs = (placement.pair_w, placement.pair_row)  # they only grow: old units count into them as well
    ids = unit_ids(state, pairs, touched.before, secret=secret)
    bucket_of_id = buckets_of(ids, log.bucket_bits)
    start, size = _ranges_of_persons(log, ids, bucket_of_id)
    month_start, month_size = _ranges_of_months(log.unidentified, touched.months)
    unit = before["unit"][rows]
    group = np.searchsorted(touched.before, unit).astype(np.int32)
    nobodys = unit == NOBODY
    month_of_row = np.searchsorted(touched.months, month_of_time(before["time"][rows[nobodys]]))
    group[nobodys] = len(ids) + month_of_row
    starts, sizes = np.concatenate([start, month_start]), np.concatenate([size, month_size])
    order, offsets = group_rows(group, len(starts))
    if not np.array_equal(np.diff(offsets), sizes):
        raise Mismatch
    text_offsets, text = state.rows.text()
    sort_groups(
        order,
        offsets,
        rows,
        np.ascontiguousarray(before["time"]),
        state.rows.source_rank(),
        state.rows.column("sequence"),
        text_offsets,
        text,
        np.zeros(len(rows), dtype=np.int8),
    )
    event = np.empty(len(rows), dtype=np.int64)
    place = np.arange(len(rows)) - np.repeat(offsets[:-1], np.diff(offsets))
    event[order] = np.repeat(starts, np.diff(offsets)) + place
    bucket = np.append(bucket_of_id, np.full(len(month_start), len(log.buckets)))[group]
    return OldRows(bucket, event, ids, bucket_of_id)


def _ranges_of_persons(
    log: JourneyLog, ids: npt.NDArray[np.uint8], bucket_of_id: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First event and number of events of each person in its bucket."""
    start, size = np.empty(len(ids), dtype=np.int64), np.empty(len(ids), dtype=np.int64)
    for number in np.unique(bucket_of_id).tolist():
        bucket = log.buckets[number]
        mine = np.flatnonzero(bucket_of_id == number)
        at = _places(_ids_of(bucket), ids[mine])
        offsets = bucket.offsets()
        start[mine], size[mine] = offsets[at], offsets[at + 1] - offsets[at]
    return start, size


def _ids_of(bucket: Bucket) -> npt.NDArray[np.uint8]:
    column = bucket.persons.arrow("person_id")
    data = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    return data[16 * column.offset : 16 * (column.offset + len(column))].reshape(-1, 16)


def _places(table: npt.NDArray[np.uint8], ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Place of each id in a sorted table."""
    high = np.ascontiguousarray(table[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
    at = np.searchsorted(high, np.ascontiguousarray(ids[:, :8]).view(">u8").reshape(-1).astype(np.uint64))
    if len(ids) and (at.max() >= len(table) or not np.array_equal(table[at], ids)):
        raise Mismatch
    return at


def _ranges_of_months(
    bucket: Bucket, months: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First event and number of events of each month of nobody's rows, which stand in the order of time."""
    of_event = month_of_time(bucket.events.values("time"))
    start = np.searchsorted(of_event, months)
    end = np.searchsorted(of_event, months, side="right")
    return start.astype(np.int64), (end - start).astype(np.int64)
