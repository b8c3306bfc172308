"""Cells of a mapping, read from the rows of one chunk; what is wrong with which row."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.columns import as_numbers, as_texts, joined_texts, mapped_texts, same_text
from percorso.events.mapping import Cell, TimeRule, When
from percorso.events.times import NOTE_CODES, NOTE_DST_OVERLAP, NOTE_MISSING, read_times
from percorso.events.total_rows import TOTAL_DETAIL, TOTAL_REASON, are_totals, say_total
from percorso.store.columns import whole

__all__ = ["FAULTS", "Rows", "first_faults"]

#: Reasons for which a row is rejected, with the sentence that is kept beside it.
FAULTS = {
    TOTAL_REASON: TOTAL_DETAIL,
    "time_missing": "The row has no time.",
    "time_unreadable": "The time cannot be read in the format the mapping names.",
    "time_in_future": "The time lies after the import itself.",
    "event_missing": "The row does not say which event happened.",
    "type_unknown": "The type is none of track, page, screen, identify, group, alias.",
    "amount_unreadable": "An amount is no number.",
    "currency_unknown": "The currency of the amounts is none of ISO 4217.",
    "number_unreadable": "A quantity is no number.",
}
_CODES = list(FAULTS)


class Rows:
    """The columns of a chunk, and what was found wrong with its rows.

    Attributes
    ----------
    faults : ndarray of uint8, shape (n_rows,)
        0, or 1 + the place in `FAULTS` of the first thing that makes the row unusable.
    notes : dict of str to ndarray of bool, shape (n_rows,)
        What was changed on the way, by the note's name.
    """

    def __init__(self, table: pa.Table, timezone: str) -> None:
        self._table = table
        self._timezone = timezone
        self._texts: dict[str, pa.StringArray] = {}
        self.n = int(table.num_rows)
        self.faults = np.zeros(self.n, np.uint8)
        self.notes: dict[str, npt.NDArray[np.bool_]] = {}

    @property
    def names(self) -> list[str]:
        return list(self._table.column_names)

    def column(self, name: str) -> pa.Array:
        """The column as it is; all null where this chunk has none of that name."""
        if name not in self._table.column_names:
            return pa.nulls(self.n, pa.string())
        return whole(self._table.column(name))

    def texts(self, name: str) -> pa.StringArray:
        """The column as trimmed text, null where blank."""
        if name not in self._texts:
            self._texts[name] = as_texts(self.column(name))
        return self._texts[name]

    def cell(self, cell: Cell) -> pa.StringArray:
        """A field as text. Several columns are joined with "-", and are nothing unless all are there."""
        if not cell.columns:
            return same_text(cell.value, self.n)
        parts = [self.texts(name) for name in cell.columns]
        joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "-", null_handling="emit_null")
        return mapped_texts(joined, cell.values)

    def numbers(self, cell: Cell) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
        """A field as float64, and which rows hold something else."""
        plain = len(cell.columns) == 1 and not cell.values
        numbers, wrong = as_numbers(self.column(cell.columns[0]) if plain else self.cell(cell), cell.decimal)
        return numbers, np.asarray(wrong)

    def times(self, rule: TimeRule) -> tuple[pa.Array, npt.NDArray[np.uint8]]:
        """A column of times as UTC timestamps, null where there is none, and their note codes."""
        found = read_times(self.column(rule.column), time_format=rule.format, timezone=rule.timezone or self._timezone)
        kind = pa.timestamp("us", tz="UTC")
        return pa.array(found.us, mask=found.null if found.null.any() else None).cast(kind), found.notes

    def note_times(self, notes: npt.NDArray[np.uint8]) -> None:
        """Note the times that a change of clocks moved."""
        if not notes.any():
            return
        for code in range(1, NOTE_DST_OVERLAP + 1):
            self.note(NOTE_CODES[code], notes == code)

    def fault_times(self, notes: npt.NDArray[np.uint8], *, missing: bool) -> None:
        """Reject rows whose time cannot be read, and those without one if `missing` says so."""
        if not (notes >= NOTE_MISSING).any():
            return
        self._fault_timeless_totals((notes >= NOTE_MISSING) if missing else (notes > NOTE_MISSING))
        if missing:
            self.fault("time_missing", notes == NOTE_MISSING)
        self.fault("time_unreadable", notes > NOTE_MISSING)

    def fault_totals(self, cell: Cell) -> None:
        """Reject rows that say "total" where a customer's or an order's number should be."""
        if len(cell.columns) == 1 and self.column(cell.columns[0]).type == pa.string():
            self.fault(TOTAL_REASON, np.asarray(say_total(self.texts(cell.columns[0])).fill_null(False)))

    def _fault_timeless_totals(self, timeless: npt.NDArray[np.bool_]) -> None:
        """Of rows without a usable time, reject those that begin like a total for what they are."""
        places = np.flatnonzero(timeless)
        totals = np.zeros(self.n, np.bool_)
        totals[places] = np.asarray(are_totals(self._table.take(pa.array(places))))
        self.fault(TOTAL_REASON, totals)

    def matches(self, when: When) -> npt.NDArray[np.bool_]:
        """Which rows meet a condition."""
        texts = self.texts(when.column)
        if not when.matches:
            return np.asarray(pc.is_in(texts, value_set=pa.array(when.equals, pa.string())))
        coded = texts.dictionary_encode()
        known = [re.fullmatch(when.matches, text) is not None for text in coded.dictionary.to_pylist()]
        return np.asarray(pa.array(known, pa.bool_()).take(coded.indices).fill_null(False))

    def fault(self, reason: str, where: npt.NDArray[np.bool_]) -> None:
        """Reject rows for a reason, unless there was one before."""
        if where.any():
            self.faults[where & (self.faults == 0)] = 1 + _CODES.index(reason)

    def note(self, name: str, where: npt.NDArray[np.bool_]) -> None:
        """Note a change on rows."""
        if where.any():
            self.notes[name] = self.notes[name] | where if name in self.notes else where

    def note_column(self) -> pa.Array:
        """Names of the notes of each row, joined with commas; null where there are none."""
        if not self.notes:
            return pa.nulls(self.n, pa.string())
        parts = [
            pc.if_else(pa.array(marks), pa.scalar(name), pa.scalar(None, pa.string()))
            for name, marks in sorted(self.notes.items())
        ]
        return joined_texts(parts, ",")


def first_faults(faults: npt.NDArray[np.uint8]) -> Mapping[int, str]:
    """Row -> reason, for the rows that have one."""
    return {int(row): _CODES[faults[row] - 1] for row in np.flatnonzero(faults)}
