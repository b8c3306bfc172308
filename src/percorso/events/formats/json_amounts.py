"""Amounts in JSON, numbers or texts, to minor units: exact, and fast for the amounts that nearly all are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.errors import AmountError
from percorso.events.formats.json_values import Faults
from percorso.money import exponent, to_minor

__all__ = ["Amounts"]

_EXACT = float(1 << 52)


class Amounts:
    """Turns amounts of a block of events into minor units of each event's currency.

    Parameters
    ----------
    currencies : sequence of str, shape (rows,)
        The currency of each event, never empty.
    faults : Faults
        Collects the events whose amounts cannot be read.
    """

    def __init__(self, currencies: Sequence[str], faults: Faults) -> None:
        self._currencies = currencies
        self._faults = faults
        distinct = set(currencies)
        self._one = distinct.pop() if len(distinct) == 1 else ""

    def column(self, values: Sequence[object]) -> pa.Array:
        """One amount for each event: int64 minor units, null where there is none."""
        return self.at(values, range(len(values)))

    def at(self, values: Sequence[object], rows: Sequence[int]) -> pa.Array:
        """Amounts of the events at `rows`: int64 minor units, null where there is none.

        A number is exact when it is the double nearest to some whole count of minor units, as every price
        written with the currency's decimals is; all others are rounded one by one by `money.to_minor`.
        """
        try:
            numbers = pa.array(values, pa.float64())
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            return pa.array([self._slow(value, row) for value, row in zip(values, rows, strict=True)], pa.int64())
        if numbers.null_count == len(numbers):
            return pa.nulls(len(numbers), pa.int64())
        missing = np.asarray(numbers.is_null())
        amounts = numbers.fill_null(0.0).to_numpy(zero_copy_only=False)
        scale = self._scale(rows)
        minor = np.rint(amounts * scale)
        inexact = (minor / scale != amounts) | (np.abs(minor) >= _EXACT)
        whole = np.where(inexact, 0.0, minor).astype(np.int64)
        for i in np.flatnonzero(inexact).tolist():
            whole[i] = self._slow(values[i], rows[i]) or 0
        return pa.array(whole, mask=missing)

    def _scale(self, rows: Sequence[int]) -> npt.NDArray[np.float64] | float:
        if self._one:
            return 10.0 ** exponent(self._one)
        return np.array([10.0 ** exponent(self._currencies[row]) for row in rows])

    def _slow(self, value: object, row: int) -> int | None:
        if value is None or value == "":
            return None
        try:
            if isinstance(value, (str, int, float)):
                # true is 1 here as it is to Arrow: what a row says must not depend on the rows beside it.
                return to_minor(int(value) if isinstance(value, bool) else value, self._currencies[row])
        except AmountError:
            pass
        self._faults.add(row, "amount_unreadable", "an amount is no number")
        return None
