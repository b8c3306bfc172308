"""Weak and shared timelines over all rows, or over those that something touched (identity rules, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from percorso.engines.local import default_threads
from percorso.engines.ranges import in_parallel, in_ranges
from percorso.identity.rows import RowFiles
from percorso.kernels.placing import (
    PlacingInput,
    choose_weak,
    mark_affected,
    mark_carried,
    mark_logins,
    mark_touched,
    placing_input,
)
from percorso.kernels.sorting import group_rows, sort_groups
from percorso.kernels.timelines import RULE_ANONYMOUS, sweep_timelines, timeline_records

__all__ = ["TimelineRules", "Timelines", "affected_rows", "follow_timelines", "input_of"]

#: Scratch memory that a timeline record takes while it is sorted.
_BYTES_PER_RECORD = 32
_RECORDS_PER_ROW = 3


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
class Timelines:
    """What the timelines say of affected rows; every array of shape (n_rows,).

    Attributes
    ----------
    chosen : int32
        The w that decides, see percorso.kernels.placing; -1: none, or a strong identifier does.
    owner : int32
        Strong code of the person, -1: an anonymous one.
    key_row : int64
        Row that keys the anonymous person together with the w, where the rule needs one.
    rule : uint8
    """

    chosen: npt.NDArray[np.int32]
    owner: npt.NDArray[np.int32]
    key_row: npt.NDArray[np.int64]
    rule: npt.NDArray[np.uint8]


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


def affected_rows(
    rows: PlacingInput,
    changed: npt.NDArray[np.uint8],
    set_changed: npt.NDArray[np.uint8],
    n_weak: int,
    n_strong: int,
) -> npt.NDArray[np.uint8]:
    """Rows that must be placed again (identity rules, section 4); uint8, shape (n_rows,).

    Changed rows; rows whose set has another person, or other shared members; and rows without a person that carry a
    weak or shared identifier of such a row: its logins may be others now.
    """
    n = len(changed)
    weak, strong = np.zeros(n_weak, dtype=np.uint8), np.zeros(n_strong, dtype=np.uint8)
    in_ranges(n, lambda begin, end: mark_touched(rows, changed, set_changed, begin, end, weak, strong))
    affected = np.zeros(n, dtype=np.uint8)
    in_ranges(n, lambda begin, end: mark_affected(rows, changed, set_changed, weak, strong, begin, end, affected))
    return affected


def follow_timelines(
    files: RowFiles,
    rows: PlacingInput,
    affected: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    rules: TimelineRules,
    n_weak: int,
    n_strong: int,
    memory_bytes: int,
) -> Timelines:
    """Place every affected row that has no person by a strong identifier."""
    n = files.n_rows
    carried, shared, weak, strong = (np.zeros(size, dtype=np.uint8) for size in (n_weak, n_strong) * 2)
    in_ranges(n, lambda begin, end: mark_carried(rows, affected, begin, end, carried, shared))
    in_ranges(n, lambda begin, end: mark_logins(rows, carried, shared, begin, end, weak, strong))
    n_scopes = int(rows.scope.max()) + 1
    chosen = np.empty(n, dtype=np.int32)
    asked = np.zeros((2 * max(n_weak, n_strong) + 2) * n_scopes, dtype=np.uint8)
    in_ranges(n, lambda begin, end: choose_weak(rows, affected, weak, strong, n_scopes, begin, end, chosen, asked))
    found = Timelines(
        chosen,
        owner=np.full(n, -1, dtype=np.int32),
        key_row=np.full(n, -1, dtype=np.int64),
        rule=np.full(n, RULE_ANONYMOUS, dtype=np.uint8),
    )
    timelines = np.flatnonzero(asked)
    if len(timelines):
        number = np.full(len(asked), -1, dtype=np.int32)
        number[timelines] = np.arange(len(timelines), dtype=np.int32)
        n_parts = 1 + n * _RECORDS_PER_ROW * _BYTES_PER_RECORD * default_threads() // max(memory_bytes, 1)
        if 4 * int(np.count_nonzero(affected)) > n:  # sorting is what costs: a part for each core
            n_parts = max(n_parts, default_threads())
        n_parts = min(n_parts, len(timelines))
        marks = _asked_identifiers(timelines // n_scopes, n_weak, n_strong)
        sweep = _Sweep(files, rows, time, rules, marks, number, n_scopes, len(timelines), n_parts, found)
        in_parallel(range(n_parts), sweep.part)
    return found


def _asked_identifiers(
    w: npt.NDArray[np.int64], n_weak: int, n_strong: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Weak and strong identifiers with an asked timeline, uint8 by code."""
    weak, strong = np.zeros(n_weak, dtype=np.uint8), np.zeros(n_strong, dtype=np.uint8)
    weak[w[w & 1 == 0] >> 1] = 1
    strong[w[w & 1 == 1] >> 1] = 1
    return weak, strong


@dataclass(frozen=True, slots=True)
class _Sweep:
    """One part of the timelines at a time; parts write to rows of their own."""

    files: RowFiles
    rows: PlacingInput
    time: npt.NDArray[np.int64]
    rules: TimelineRules
    marks: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
    number: npt.NDArray[np.int32]
    n_scopes: int
    n_timelines: int
    n_parts: int
    found: Timelines

    def part(self, part: int) -> None:
        """Sort the records of a part and sweep over them."""
        row, timeline, record = self._records(part)
        order, offsets = group_rows(timeline, 1 + self.n_timelines // self.n_parts)
        text_offsets, text = self.files.text()
        source, sequence = self.files.source_rank(), self.files.column("sequence")
        sort_groups(order, offsets, row, self.time, source, sequence, text_offsets, text, record)
        found, rules = self.found, self.rules
        sweep_timelines(
            self.rows,
            order,
            offsets,
            record,
            row,
            self.time,
            rules.backfill_us,
            rules.session_us,
            found.owner,
            found.key_row,
            found.rule,
            np.empty(int(np.diff(offsets).max(initial=0)) + 1, dtype=np.int64),
        )

    def _records(self, part: int) -> list[npt.NDArray[Any]]:
        def of_range(begin: int, end: int) -> tuple[npt.NDArray[Any], ...]:
            records: tuple[npt.NDArray[Any], ...] = timeline_records(
                self.rows, *self.marks, self.found.chosen, self.number, self.n_scopes, part, self.n_parts, begin, end
            )
            return records

        # Several parts are worked on at once already.
        n = self.files.n_rows
        pieces = [of_range(0, n)] if self.n_parts > 1 else in_ranges(n, of_range)
        return [np.concatenate(columns) for columns in zip(*pieces, strict=True)]
