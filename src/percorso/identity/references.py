"""Orders that several records tell, and events that carry only an order, return or ticket number.

Both look at all rows: they are few, and their columns are not there where no source has such numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from percorso.identity.rows import OWNING_REFERENCES, RowFiles
from percorso.kernels.orders import offer_owners, order_copies

__all__ = ["ask_references", "repeated_orders"]


def ask_references(
    rows: RowFiles,
    keep: npt.NDArray[np.uint8],
    time: npt.NDArray[np.int64],
    has_strong: npt.NDArray[np.uint8],
    has_weak: npt.NDArray[np.uint8],
    unit: npt.NDArray[np.int32],
    rule: npt.NDArray[np.uint8],
    *,
    n_references: int,
    rule_reference: int,
) -> None:
    """Give rows without any identifier the person of the owner of their first reference key that has one.

    Parameters
    ----------
    has_strong, has_weak : uint8, shape (n_rows,)
        1: the row carries an unshared strong identifier; any weak or shared one.
    unit, rule : shape (n_rows,), changed
        Only where the rule is none, or was by reference in the last build.
    """
    columns = {name: rows.reference(name) for name in OWNING_REFERENCES}
    present = {name: column - np.int32(1) for name, column in columns.items() if column is not None}
    # Asked anew every time: whose the owner is may have changed, wherever it is.
    asking = np.flatnonzero((keep == 1) & (has_strong == 0) & (has_weak == 0))
    unit[asking], rule[asking] = -1, 0
    if not len(asking):
        return
    wanted = np.zeros(n_references + 1, dtype=np.uint8)  # no key, -1, marks the last entry
    for column in present.values():
        wanted[column[asking]] = 1
    wanted = wanted[:-1].copy()
    by_strong = np.full(n_references, -1, dtype=np.int64)
    by_weak = np.full(n_references, -1, dtype=np.int64)
    source, sequence, (offsets, text) = rows.source_rank(), rows.column("sequence"), rows.text()
    for column in present.values():
        offer_owners(
            column, keep, has_strong, has_weak, time, source, sequence, offsets, text, wanted, by_strong, by_weak
        )
    owner = np.append(np.where(by_strong >= 0, by_strong, by_weak), np.int64(-1))
    for name in reversed(OWNING_REFERENCES):  # the first key that has an owner is the last to be written
        if name in present:
            row = owner[present[name][asking]]
            found = row >= 0
            unit[asking[found]], rule[asking[found]] = unit[row[found]], rule_reference


def repeated_orders(
    rows: RowFiles, keep: npt.NDArray[np.uint8], time: npt.NDArray[np.int64], n_references: int
) -> npt.NDArray[np.uint8]:
    """1 on order records of which another row is the more trusted, or the earlier, record; uint8, shape (n_rows,)."""
    order = rows.reference("order_id")
    if order is None:
        return np.zeros(rows.n_rows, dtype=np.uint8)
    offsets, text = rows.text()
    return order_copies(
        order - np.int32(1),
        rows.column("is_order"),
        keep,
        rows.column("trust"),
        time,
        rows.source_rank(),
        rows.column("sequence"),
        offsets,
        text,
        n_references,
    )
