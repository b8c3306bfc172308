"""Rows that belong together: lines of one order become the items of one event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.events.columns import as_texts
from percorso.events.conversion import TableChunk
from percorso.events.event import ITEM_TYPE
from percorso.events.formats.table_money import Currencies
from percorso.events.formats.table_rows import Rows
from percorso.events.mapping import ItemRule
from percorso.store.row_keys import KeyCounter, row_keys

__all__ = ["Groups", "ScatteredGroupsError", "group_keys", "item_lists", "whole_groups"]


class ScatteredGroupsError(Exception):
    """Rows of one group do not stand together; the file must be sorted by group first."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows of equal group, which stand together.

    Parameters
    ----------
    starts : ndarray of int64, shape (n_groups,)
        First row of each group.
    of_row : ndarray of int64, shape (n_rows,)
        The group each row belongs to.
    """

    starts: npt.NDArray[np.int64]
    of_row: npt.NDArray[np.int64]

    @staticmethod
    def of(keys: npt.NDArray[np.uint64]) -> Groups:
        """Groups of rows by their keys, shape (n_rows, 2); neighbours with equal keys belong together."""
        begins = np.ones(len(keys), np.bool_)
        begins[1:] = (keys[1:] != keys[:-1]).any(axis=1)
        return Groups(np.flatnonzero(begins), np.cumsum(begins) - 1)


def group_keys(table: pa.Table, group_by: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Keys of the rows' groups. A row with nothing in any of the columns is a group by itself."""
    texts = pa.table({name: as_texts(table.column(name)) for name in group_by})
    keys = row_keys(texts, group_by)
    alone = np.ones(table.num_rows, np.bool_)
    for column in texts.columns:
        alone &= np.asarray(column.is_null())
    # No text hashes to a small number but by a chance of 2^-64: these keys are not those of any group.
    keys[alone] = np.stack([np.zeros(int(alone.sum()), np.uint64), np.flatnonzero(alone).astype(np.uint64) + 1], axis=1)
    return keys


def whole_groups(chunks: Iterable[TableChunk], group_by: Sequence[str]) -> Iterator[TableChunk]:
    """Move the rows of a group that a chunk ends in to the next chunk, so that no group is cut.

    Raises
    ------
    ScatteredGroupsError
        A group comes back after another one began.
    """
    seen = KeyCounter()
    held: TableChunk | None = None
    for chunk in chunks:
        joined = chunk if held is None else _joined(held, chunk)
        groups = Groups.of(group_keys(joined.table, group_by))
        last = int(groups.starts[-1]) if len(groups.starts) else 0
        whole, held = _sliced(joined, 0, last), _sliced(joined, last, joined.table.num_rows)
        if whole.table.num_rows:
            _check_new(whole, group_by, seen)
            yield whole
    if held is not None and held.table.num_rows:
        _check_new(held, group_by, seen)
        yield held


def _check_new(chunk: TableChunk, group_by: Sequence[str], seen: KeyCounter) -> None:
    keys = group_keys(chunk.table, group_by)
    groups = keys[Groups.of(keys).starts]
    named = groups[groups[:, 0] != 0]
    if seen.add(named).any():
        raise ScatteredGroupsError


def _joined(first: TableChunk, second: TableChunk) -> TableChunk:
    n = first.table.num_rows
    return TableChunk(
        pa.concat_tables([first.table, second.table], promote_options="permissive"),
        np.concatenate([first.lines, second.lines]),
        lambda i: first.raw(i) if i < n else second.raw(i - n),
    )


def _sliced(chunk: TableChunk, start: int, stop: int) -> TableChunk:
    return TableChunk(chunk.table.slice(start, stop - start), chunk.lines[start:stop], lambda i: chunk.raw(i + start))


@dataclass(frozen=True, slots=True)
class ItemLists:
    """Items of each group, and the sum of price by quantity, null where no line has a price."""

    lists: pa.Array
    totals: pa.Array


def item_lists(rows: Rows, rule: ItemRule, groups: Groups, currencies: Currencies) -> ItemLists:
    """The items of each group. Rows whose price or quantity cannot be read are rejected and left out.

    Parameters
    ----------
    rows : Rows
    rule : ItemRule
    groups : Groups
    currencies : Currencies
        Those of the groups' first rows, one a group.
    """
    fields = {f.name: pa.nulls(rows.n, f.type) for f in ITEM_TYPE}
    for name, cell in rule.fields.items():
        if name == "quantity":
            fields[name], wrong = rows.numbers(cell)
            rows.fault("number_unreadable", wrong)
        elif name == "price":
            column = rows.column(cell.columns[0]) if len(cell.columns) == 1 and not cell.values else rows.cell(cell)
            fields[name], wrong = currencies.of_rows(groups.of_row).minor(column, cell.decimal)
            rows.fault("amount_unreadable", wrong)
        else:
            fields[name] = rows.cell(cell)
    kept = rows.faults == 0
    lines = pa.StructArray.from_arrays([fields[f.name] for f in ITEM_TYPE], fields=list(ITEM_TYPE))
    sizes = np.bincount(groups.of_row[kept], minlength=len(groups.starts))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), lines if kept.all() else lines.filter(pa.array(kept)))
    return ItemLists(lists.cast(pa.list_(ITEM_TYPE)), _totals(fields, groups, kept))


def _totals(fields: dict[str, pa.Array], groups: Groups, kept: npt.NDArray[np.bool_]) -> pa.Array:
    price = fields["price"]
    priced = np.asarray(price.is_valid()) & kept
    quantity = pc.fill_null(fields["quantity"], 1.0).to_numpy(zero_copy_only=False)
    # Prices are far below 2^53 minor units, so that the product of a whole quantity is exact.
    amounts = np.rint(np.where(priced, price.fill_null(0).to_numpy() * quantity, 0.0)).astype(np.int64)
    sums = np.zeros(len(groups.starts), np.int64)
    np.add.at(sums, groups.of_row, amounts)
    found = np.bincount(groups.of_row[priced], minlength=len(groups.starts)) > 0
    return pa.array(sums, mask=~found)
