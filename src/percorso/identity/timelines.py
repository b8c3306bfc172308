"""Weak and shared timelines over all rows, or over those that something touched (identity rules, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from percorso.engines.local import default_threads
from percorso.engines.ranges import in_parallel, in_ranges
from percorso.identity.rows import RowFiles
from percorso.kernels.placing import (
    AFFECTED,
    CARRIES,
    HOLDS,
    PERSONLESS,
    SET_CHANGED,
    PlacingInput,
    asked_on_shared,
    mark_affected,
    mark_carried,
    mark_carriers,
    mark_logins,
    mark_touched,
    place_affected,
    placing_input,
)
from percorso.kernels.rows import rows_with_marks
from percorso.kernels.sets import numbers_of_sets
from percorso.kernels.sorting import group_rows, sort_groups
from percorso.kernels.timelines import sweep_timelines, timeline_records

__all__ = ["Carriers", "MarkedRows", "TimelineRules", "affected_rows", "follow_timelines", "input_of", "no_carriers"]

#: Scratch memory that a timeline record takes while it is sorted.
_BYTES_PER_RECORD = 32
_RECORDS_PER_ROW = 3
#: More than one row in so many, and they are not listed.
_MOST_LISTED = 8

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class TimelineRules:
    """Durations in µs, and the names of sources whose device many people use."""

    backfill_us: int
    session_us: int
    shared_sources: tuple[str, ...]

    def scopes(self, sources: tuple[str, ...]) -> npt.NDArray[np.int32]:
        """0 for an ordinary source, 1, 2, ... for shared ones, by source code."""
        shared = [name for name in sources if name in self.shared_sources]
        return np.array([shared.index(name) + 1 if name in shared else 0 for name in sources] or [0], dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Carriers:
    """Which w's rows are marked as carriers: all of a w's rows that count, or none for it.

    Attributes
    ----------
    sets : uint8, shape (n_sets + 1,)
        Marks of sets, see percorso.kernels.placing.
    weak : uint8, shape (n_weak + 1,)
        The last is that of rows without one.
    strong : uint8, shape (n_strong,)
    """

    sets: npt.NDArray[np.uint8]
    weak: npt.NDArray[np.uint8]
    strong: npt.NDArray[np.uint8]


def input_of(
    rows: RowFiles,
    keep: npt.NDArray[np.uint8],
    sets: tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]],
    person: npt.NDArray[np.int32],
    shared: npt.NDArray[np.uint8],
    rules: TimelineRules,
) -> PlacingInput:
    """All rows as the kernels take them."""
    return placing_input(
        sset=rows.column("sset"),
        anonymous=rows.column("anonymous"),
        device=rows.column("device"),
        signed_out=rows.column("signed_out"),
        keep=keep,
        source=rows.column("source"),
        client=rows.column("client"),
        scope=rules.scopes(rows.sources),
        person=person,
        offsets=sets[0],
        members=sets[1],
        shared=shared,
    )


def no_carriers(rows: PlacingInput, set_changed: npt.NDArray[np.uint8], n_weak: int, n_strong: int) -> Carriers:
    """Marks of sets, and no w."""
    marks = np.append(np.where(rows.person < 0, np.uint8(PERSONLESS), np.uint8(0)), np.uint8(PERSONLESS))
    marks[:-1] |= np.where(set_changed != 0, np.uint8(SET_CHANGED), np.uint8(0))
    return Carriers(marks, np.zeros(n_weak + 1, np.uint8), np.zeros(n_strong, np.uint8))


def affected_rows(
    rows: PlacingInput,
    marks: npt.NDArray[np.uint8],
    set_changed: npt.NDArray[np.uint8],
    first: int,
    n_weak: int,
    n_strong: int,
) -> Carriers:
    """Mark rows that must be placed again (identity rules, section 4), and all that carry a touched w.

    Affected are changed rows; rows whose set has another person, or other shared members; and rows without a person
    that carry a weak or shared identifier of such a row: its logins may be others now.

    Parameters
    ----------
    marks : uint8, shape (n_rows,), changed
        Marks of rows, see percorso.kernels.placing; in: the changed ones.
    first : int
        Rows before it are neither changed, nor of changed sets.
    """
    n, found = len(marks), no_carriers(rows, set_changed, n_weak, n_strong)
    sets, weak, strong = found.sets, found.weak, found.strong
    in_ranges(n - first, lambda begin, end: mark_touched(rows, sets, marks, first + begin, first + end, weak, strong))
    _mark_holding(rows, strong, sets)
    in_ranges(n, lambda begin, end: mark_affected(rows, sets, weak, begin, end, marks))
    return found


def _mark_holding(rows: PlacingInput, strong: npt.NDArray[np.uint8], sets: npt.NDArray[np.uint8]) -> None:
    shared = strong & (rows.shared != 0)
    if shared.any():
        sets[numbers_of_sets(rows.offsets, rows.members, shared)] |= HOLDS


def follow_timelines(
    files: RowFiles,
    rows: PlacingInput,
    marks: npt.NDArray[np.uint8],
    carriers: Carriers,
    time: npt.NDArray[np.int64],
    unit: npt.NDArray[np.int32],
    rule: npt.NDArray[np.uint8],
    rules: TimelineRules,
    memory_bytes: int,
) -> tuple[MarkedRows, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Place every affected row.

    Parameters
    ----------
    marks : uint8, shape (n_rows,), changed
    unit, rule : int32 and uint8, shape (n_rows,), changed
        Of affected rows.

    Returns
    -------
    some : MarkedRows
        All affected rows, and others.
    event, key_row : int64, shape (n_keyed,)
        Rows whose person is keyed by a w and a row, ascending, and that row. Their unit is the w's until the caller
        names them.
    """
    n_weak, n_strong = len(carriers.weak) - 1, len(carriers.strong)
    some = MarkedRows.of(marks)
    if _mark_deciders(rows, some, carriers):
        some = MarkedRows.of(marks)
    weak, strong, asked_weak, asked_strong = (np.zeros(size, dtype=np.uint8) for size in (n_weak, n_strong) * 2)
    some.each(lambda of, begin, end: mark_logins(rows, of, marks, begin, end, weak, strong))
    some.each(
        lambda of, begin, end: place_affected(
            rows, of, marks, weak, strong, begin, end, unit, rule, asked_weak, asked_strong
        )
    )
    n_scopes = int(rows.scope.max()) + 1
    pairs = np.zeros(0, dtype=np.int64)
    if n_scopes > 1:
        parts = some.each(
            lambda of, begin, end: np.unique(asked_on_shared(rows, of, marks, unit, n_scopes, begin, end))
        )
        pairs = np.unique(np.concatenate(parts))
    n_asked = int(np.count_nonzero(asked_weak))
    asked = _Asked(_numbers(asked_weak, 0), _numbers(asked_strong, n_asked), pairs, n_scopes)
    n_timelines = asked.n_ordinary + len(pairs)
    if not n_timelines:
        return some, pairs[:0], pairs[:0]
    n_parts = 1 + some.size * _RECORDS_PER_ROW * _BYTES_PER_RECORD * default_threads() // max(memory_bytes, 1)
    if some.rows is None:  # sorting is what costs: a part for each core
        n_parts = max(n_parts, default_threads())
    n_parts = min(n_parts, n_timelines)
    sweep = _Sweep(files, rows, some, time, rules, asked, n_timelines, n_parts, unit, rule)
    keyed = in_parallel(range(n_parts), sweep.part)
    event, key_row = (np.concatenate(columns) for columns in zip(*keyed, strict=True))
    order = np.argsort(event)
    return some, event[order], key_row[order]


@dataclass(frozen=True, slots=True)
class MarkedRows:
    """Rows that are affected or carriers, where they are few; otherwise all, so as not to list them.

    Attributes
    ----------
    marks : uint8, shape (n_rows,)
    rows : int64, or None
        Ascending; None: all.
    """

    marks: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int64] | None

    @classmethod
    def of(cls, marks: npt.NDArray[np.uint8]) -> MarkedRows:
        """The rows with marks."""
        wanted = AFFECTED | CARRIES
        counts = in_ranges(len(marks), lambda begin, end: int(np.count_nonzero(marks[begin:end])))
        if _MOST_LISTED * sum(counts) > len(marks):
            return cls(marks, None)
        parts = in_ranges(len(marks), lambda begin, end: rows_with_marks(marks, wanted, begin, end))
        return cls(marks, np.concatenate(parts))

    @property
    def size(self) -> int:
        return len(self.marks) if self.rows is None else len(self.rows)

    def all_at_once(self, work: Callable[[npt.NDArray[np.int64], int, int], R]) -> R:
        """``work(rows, begin, end)`` as for `each`, of a single part."""
        return work(np.zeros(0, np.int64), 0, len(self.marks)) if self.rows is None else work(self.rows, 0, 0)

    def each(self, work: Callable[[npt.NDArray[np.int64], int, int], R]) -> list[R]:
        """``work(rows, begin, end)`` for parts: it sees some rows, and those from `begin` to before `end`."""
        rows = self.rows
        if rows is None:
            nothing = np.zeros(0, dtype=np.int64)
            return in_ranges(len(self.marks), lambda begin, end: work(nothing, begin, end))
        return in_ranges(len(rows), lambda begin, end: work(rows[begin:end], 0, 0))


def _mark_deciders(rows: PlacingInput, some: MarkedRows, carriers: Carriers) -> bool:
    """Mark all that carry a w of an affected row without a person; whether there are more than were marked."""
    marks, sets = some.marks, carriers.sets
    weak, strong = np.zeros_like(carriers.weak), np.zeros_like(carriers.strong)
    some.each(lambda of, begin, end: mark_carried(rows, of, sets, marks, begin, end, weak, strong))
    weak &= carriers.weak ^ 1
    strong &= carriers.strong ^ 1
    if not weak.any() and not strong.any():
        return False
    _mark_holding(rows, strong, sets)
    in_ranges(len(marks), lambda begin, end: mark_carriers(rows, sets, weak, begin, end, marks))
    return True


def _numbers(asked: npt.NDArray[np.uint8], first: int) -> npt.NDArray[np.int32]:
    """Numbers of marked identifiers from `first` on, -1 for the others."""
    codes = np.flatnonzero(asked)
    number = np.full(len(asked), -1, dtype=np.int32)
    number[codes] = np.arange(first, first + len(codes), dtype=np.int32)
    return number


@dataclass(frozen=True, slots=True)
class _Asked:
    """Timelines to be worked out, see percorso.kernels.timelines."""

    weak: npt.NDArray[np.int32]
    strong: npt.NDArray[np.int32]
    pairs: npt.NDArray[np.int64]
    n_scopes: int

    @property
    def n_ordinary(self) -> int:
        return 1 + max(int(self.weak.max(initial=-1)), int(self.strong.max(initial=-1)))


@dataclass(frozen=True, slots=True)
class _Sweep:
    """One part of the timelines at a time; parts write to rows of their own."""

    files: RowFiles
    rows: PlacingInput
    some: MarkedRows
    time: npt.NDArray[np.int64]
    rules: TimelineRules
    asked: _Asked
    n_timelines: int
    n_parts: int
    unit: npt.NDArray[np.int32]
    rule: npt.NDArray[np.uint8]

    def part(self, part: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Sort the records of a part and sweep over them; rows that are keyed, and their key rows."""
        row, timeline, record = self._records(part)
        order, offsets = group_rows(timeline, 1 + self.n_timelines // self.n_parts)
        text_offsets, text = self.files.text()
        source, sequence = self.files.source_rank(), self.files.column("sequence")
        sort_groups(order, offsets, row, self.time, source, sequence, text_offsets, text, record)
        rules = self.rules
        keyed: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] = sweep_timelines(
            self.rows,
            order,
            offsets,
            record,
            row,
            self.time,
            rules.backfill_us,
            rules.session_us,
            self.unit,
            self.rule,
        )
        return keyed

    def _records(self, part: int) -> list[npt.NDArray[Any]]:
        asked, most = self.asked, int(np.diff(self.rows.offsets).max(initial=0))

        def of_range(of: npt.NDArray[np.int64], begin: int, end: int) -> tuple[npt.NDArray[Any], ...]:
            records: tuple[npt.NDArray[Any], ...] = timeline_records(
                self.rows,
                of,
                self.some.marks,
                self.unit,
                asked.weak,
                asked.strong,
                asked.pairs,
                asked.n_ordinary,
                asked.n_scopes,
                most,
                part,
                self.n_parts,
                begin,
                end,
            )
            return records

        # Several parts are worked on at once already.
        pieces = [self.some.all_at_once(of_range)] if self.n_parts > 1 else self.some.each(of_range)
        return [np.concatenate(columns) for columns in zip(*pieces, strict=True)]
