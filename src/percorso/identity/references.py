"""Orders that several records tell, and events that carry only an order, return or ticket number.

Both ask anew for the references of affected rows alone. What the others' answers hang on, which rows count, when they
happened and which persons they have by what they carry, is what it was: a row of which that has changed is affected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.engines.ranges import in_ranges
from percorso.identity.rows import OWNING_REFERENCES, RowFiles
from percorso.identity.timelines import MarkedRows
from percorso.kernels.orders import mark_references, offer_owners, order_copies, rows_of_nobody
from percorso.kernels.placing import AFFECTED, OTHERWISE, PlacingInput
from percorso.kernels.rows import rows_marked

__all__ = ["TouchedReferences", "ask_references", "repeated_orders", "touched_references"]


@dataclass(frozen=True, slots=True)
class TouchedReferences:
    """Keys on affected rows, which may have another owner, or whose owner may be another person's.

    Attributes
    ----------
    keys : uint8, shape (n_references + 1,)
        By code + 1; the first is for none, and 0.
    columns : dict
        The columns that are there, by name, in the order in which they are asked.
    carrying : dict
        Rows with such a key by the name of the column, ascending.
    nobodys : int64, shape (n,)
        Affected rows without a person by what they carry.
    """

    keys: npt.NDArray[np.uint8]
    columns: dict[str, npt.NDArray[np.int32]]
    carrying: dict[str, npt.NDArray[np.int64]]
    nobodys: npt.NDArray[np.int64]


def touched_references(
    rows: RowFiles, some: MarkedRows, unit: npt.NDArray[np.int32], n_references: int
) -> TouchedReferences:
    """Find what the affected rows touch; `unit` is theirs by what they carry."""
    marks, keys = some.marks, np.zeros(n_references + 1, dtype=np.uint8)
    columns = {name: column for name in OWNING_REFERENCES if (column := rows.reference(name)) is not None}
    for column in columns.values():
        _mark(some, column, keys)
    keys[0] = 0
    nobodys = np.concatenate(some.each(lambda of, begin, end: rows_of_nobody(of, marks, AFFECTED, unit, begin, end)))
    return TouchedReferences(keys, columns, {name: _carrying(ref, keys) for name, ref in columns.items()}, nobodys)


def _mark(some: MarkedRows, column: npt.NDArray[np.int32], keys: npt.NDArray[np.uint8]) -> None:
    """Mark the keys of affected rows."""
    some.each(lambda of, begin, end: mark_references(of, some.marks, AFFECTED, column, begin, end, keys))


def _carrying(column: npt.NDArray[np.int32], keys: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Rows with a marked key, ascending."""
    return np.concatenate(in_ranges(len(column), lambda begin, end: rows_marked(column, keys, 0, begin, end)))


def ask_references(
    rows: RowFiles,
    inputs: PlacingInput,
    touched: TouchedReferences,
    marks: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    unit: npt.NDArray[np.int32],
    rule: npt.NDArray[np.uint8],
    *,
    rule_reference: int,
) -> None:
    """Give rows without any identifier the person of the owner of their first reference key that has one.

    Parameters
    ----------
    marks : uint8, shape (n_rows,), changed
        Rows that are asked for gain OTHERWISE.
    unit, rule : shape (n_rows,), changed
        Only where the rule is none, or was by reference in the last build.
    """
    columns, keys = touched.columns, touched.keys
    asking = _asking(inputs, touched, marks)
    unit[asking], rule[asking] = -1, 0
    marks[asking] |= OTHERWISE
    wanted = np.zeros_like(keys)
    for column in columns.values():
        wanted[column[asking]] = 1
    wanted[0] = 0
    if not wanted.any():
        return
    by_strong, by_weak = (np.empty(len(wanted), dtype=np.int64) for _ in range(2))
    for owners in (by_strong, by_weak):
        owners[wanted.view(np.bool_)] = owners[:1] = -1
    source, sequence, (offsets, text) = rows.source_rank(), rows.column("sequence"), rows.text()
    others = (wanted > keys).view(np.uint8)
    for name, column in columns.items():
        offered = touched.carrying[name]
        offered = offered[wanted[column[offered]] != 0]
        if others.any():
            offered = np.concatenate([offered, _carrying(column, others)])
        strong, weak = _identified(inputs, offered)
        offer_owners(
            offered, column, inputs.keep, strong, weak, time, source, sequence, offsets, text, by_strong, by_weak
        )
    for column in reversed(columns.values()):  # the first key that has an owner is the last to be written
        key = column[asking]
        row = np.where(by_strong[key] >= 0, by_strong[key], by_weak[key])
        found = row >= 0
        unit[asking[found]], rule[asking[found]] = unit[row[found]], rule_reference


def _asking(inputs: PlacingInput, touched: TouchedReferences, marks: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Rows that count and carry no identifier, and are affected or carry a touched key; some more than once."""
    parts = [touched.nobodys]
    for carrying in touched.carrying.values():
        found = carrying[marks[carrying] & AFFECTED == 0]
        strong, weak = _identified(inputs, found)
        parts.append(found[(inputs.keep[found] == 1) & (strong == 0) & (weak == 0)])
    return np.concatenate(parts)


def _identified(rows: PlacingInput, some: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Which of some rows carry an unshared strong identifier, and which any weak or strong one."""
    sset = rows.sset[some]
    strong = (sset >= 0) & (np.append(rows.person, np.int32(-1))[sset] >= 0)
    weak = (sset >= 0) | (rows.anonymous[some] >= 0) | (rows.device[some] >= 0)
    return strong.view(np.uint8), weak.view(np.uint8)


def repeated_orders(
    rows: RowFiles,
    touched: TouchedReferences,
    keep: npt.NDArray[np.uint8],
    marks: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    copy: npt.NDArray[np.uint8],
) -> None:
    """Set `copy` to 1 on order records of which another row is the more trusted, or the earlier, record.

    Parameters
    ----------
    marks : uint8, shape (n_rows,), changed
        Rows of which it is another than it was gain OTHERWISE.
    copy : uint8, shape (n_rows,), changed
        In: of the last build, of new rows 0.
    """
    if "order_id" not in touched.columns:
        return
    asked, (offsets, text) = touched.carrying["order_id"], rows.text()
    found = order_copies(
        asked,
        touched.columns["order_id"],
        rows.column("is_order"),
        keep,
        rows.column("trust"),
        time,
        rows.source_rank(),
        rows.column("sequence"),
        offsets,
        text,
        len(touched.keys) - 1,
    )
    marks[asked[found != copy[asked]]] |= OTHERWISE
    copy[asked] = found
