"""Format `paths`: aggregated path strings ("ads > mail > direct", 3 orders, 12 without) as journeys.

Each order and each path without one becomes a person of its own whose contacts follow one another; nothing
but their order is known, so their times are made up.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.errors import AmountError
from percorso.events.columns import as_texts
from percorso.events.conversion import Converted, TableChunk
from percorso.events.formats.assemble import event_table, same_text, table_reject
from percorso.events.formats.json_times import UTC_TYPE
from percorso.events.formats.json_values import Faults
from percorso.events.formats.source import SourceInfo
from percorso.events.mapping import PathsRule
from percorso.money import to_minor
from percorso.settings import DAY_US, HOUR_US, Settings

__all__ = ["CONTACT", "PathsFormat"]

#: Name of the event of one contact on a path.
CONTACT = "Contact Made"

#: All made-up journeys begin here (2024-01-01 UTC); those that end in an order 90 days later, so that the
#: others are over by the time of the newest event.
_BEGIN_US = 1_704_067_200_000_000
_CONVERTED_LATER_US = 90 * DAY_US
#: Contacts stand an hour apart, closer on paths of more than 480.
_LONGEST_US = 20 * DAY_US
#: More persons than this in one row is a wrong column.
_MOST_PERSONS = 1_000_000

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Paths:
    """The usable rows of a chunk. Arrays have shape (n_rows,)."""

    row: _Ints  # row of the chunk
    keys: list[str]
    channels: list[list[str]]
    conversions: _Ints
    nulls: _Ints
    value: _Ints  # minor units, of all conversions together


class PathsFormat:
    """Converts rows of aggregated paths into the events of made-up persons."""

    name = "paths"

    def __init__(self, settings: Settings, source: SourceInfo, rule: PathsRule) -> None:
        self._currency = settings.workspace.currency
        self._source = source
        self._rule = rule

    def convert(self, chunk: TableChunk) -> Converted:
        """Events of the chunk's rows, in file order."""
        faults = Faults()
        paths = self._read(chunk, faults)
        columns, raw_row = _events(paths, self._currency)
        rejected = [table_reject(chunk, row, *faults[row]) for row in sorted(faults)]
        return Converted(event_table(columns, len(raw_row), self._source), raw_row, rejected)

    def _read(self, chunk: TableChunk, faults: Faults) -> _Paths:
        table, rule, rows = chunk.table, self._rule, chunk.table.num_rows
        texts = as_texts(table.column(rule.path)).to_pylist()
        values = as_texts(table.column(rule.value)).to_pylist() if rule.value else [None] * rows
        # Without any count each row is one path that ended in an order.
        conversions = _counts(table, rule.conversions, 0 if rule.nulls else 1, faults)
        nulls = _counts(table, rule.nulls, 0, faults)
        channels = [[part for piece in (text or "").split(rule.separator) if (part := piece.strip())] for text in texts]
        for row, path in enumerate(channels):
            if not path:
                faults.add(row, "path_missing", "the row has no path")
            elif conversions[row] + nulls[row] > _MOST_PERSONS:
                faults.add(row, "count_unreadable", "the counts are larger than any real ones")
        amounts = [self._amount(value, row, faults) for row, value in enumerate(values)]
        cells = zip(chunk.lines.tolist(), texts, conversions.tolist(), nulls.tolist(), amounts, strict=True)
        keys = [_key("|".join(map(str, row))) for row in cells]
        good = np.setdiff1d(np.arange(rows), list(faults))
        return _Paths(
            row=good,
            keys=[keys[row] for row in good.tolist()],
            channels=[channels[row] for row in good.tolist()],
            conversions=conversions[good],
            nulls=nulls[good],
            value=np.array(amounts, dtype=np.int64)[good],
        )

    def _amount(self, value: str | None, row: int, faults: Faults) -> int:
        try:
            return to_minor(value, self._currency) if value else 0
        except AmountError:
            faults.add(row, "amount_unreadable", "the value is no amount")
            return 0


def _key(content: str) -> str:
    """A name for a row: it depends on what the row says and on which line, so that equal rows stay apart."""
    return hashlib.blake2b(content.encode(), digest_size=10).hexdigest()


def _counts(table: pa.Table, column: str, default: int, faults: Faults) -> _Ints:
    if not column:
        return np.full(table.num_rows, default, dtype=np.int64)
    counts = np.zeros(table.num_rows, dtype=np.int64)
    for row, text in enumerate(as_texts(table.column(column)).to_pylist()):
        whole = (text or "0").removesuffix(".0")
        if whole.isdecimal() and len(whole) < 10:
            counts[row] = int(whole)
        else:
            faults.add(row, "count_unreadable", "a number of paths is no whole number")
    return counts


def _events(paths: _Paths, currency: str) -> tuple[dict[str, pa.Array], _Ints]:
    """Event columns of all persons of all rows, and the chunk's row of each event.

    A row gives conversions + nulls persons, first those that order; a person has one event a channel, and the
    order behind them.
    """
    length = np.array([len(channels) for channels in paths.channels], dtype=np.int64)
    persons = paths.conversions + paths.nulls
    row_of_person, number = _expanded(persons)
    orders = number < paths.conversions[row_of_person]
    person, position = _expanded(length[row_of_person] + orders)
    row = row_of_person[person]
    is_order = position == length[row]
    ids = _joined_texts(pa.array(paths.keys, pa.string()).take(pa.array(row)), number[person])
    channel = _channels(paths, row, position, is_order)
    step_us = np.minimum(HOUR_US, _LONGEST_US // np.maximum(length, 1))
    begin_us = _BEGIN_US + np.where(orders, _CONVERTED_LATER_US, 0)
    value = _split(paths, row_of_person, number)[person]
    rows = len(row)
    # The order belongs to the visit of the last contact: it is no contact by itself.
    visit = np.where(is_order, position - 1, position)
    columns = {
        "type": same_text("track", rows),
        "name": pa.array(np.where(is_order, "Order Completed", CONTACT), pa.string()),
        "message_id": _joined_texts(ids, position),
        "sequence": pa.array(position),
        "timestamp": pa.array(begin_us[person] + position * step_us[row], UTC_TYPE),
        "anonymous_id": ids,
        "session_id": _joined_texts(ids, visit),
        "channel": channel,
        "touchpoint": channel,
        "order_id": pc.if_else(pa.array(is_order), ids, pa.scalar(None, pa.string())),
        "value": pa.array(value, mask=~is_order),
        "currency": pc.if_else(pa.array(is_order), currency, pa.scalar(None, pa.string())),
    }
    return columns, paths.row[row]


def _expanded(counts: _Ints) -> tuple[_Ints, _Ints]:
    """For counts [2, 1]: owners [0, 0, 1] and numbers within them [0, 1, 0]."""
    owner = np.repeat(np.arange(len(counts)), counts)
    begins = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - begins[owner]


def _joined_texts(texts: pa.Array, numbers: _Ints) -> pa.Array:
    return pc.binary_join_element_wise(texts, pa.array(numbers).cast(pa.string()), ":")


def _channels(paths: _Paths, row: _Ints, position: _Ints, is_order: npt.NDArray[np.bool_]) -> pa.Array:
    flat = pa.array([channel for channels in paths.channels for channel in channels], pa.string())
    length = np.array([len(channels) for channels in paths.channels], dtype=np.int64)
    first = np.cumsum(length) - length
    at = np.where(is_order, 0, first[row] + position)
    return flat.take(pa.array(at, mask=is_order))


def _split(paths: _Paths, row_of_person: _Ints, number: _Ints) -> _Ints:
    """Each order's share of its row's value, by largest remainder: shares are equal, so the first get the rest."""
    orders = np.maximum(paths.conversions, 1)
    share, rest = np.divmod(paths.value, orders)
    return share[row_of_person] + (number < rest[row_of_person])
