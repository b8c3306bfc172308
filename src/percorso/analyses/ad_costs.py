"""What advertising cost, by channel, in the workspace's currency: of the days of a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.spec import Scope, parse_instant_us
from percorso.analyses.worth import Missing, amounts_column, worth_of
from percorso.kernels.arrays import I64

__all__ = ["AdCosts", "ad_costs", "cost_columns"]

_HALF_DAY_US = 43_200_000_000


@dataclass(frozen=True, slots=True)
class AdCosts:
    """Cost by channel, in minor units of the workspace's currency; rows of the table without a rate."""

    by_channel: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()


def ad_costs(spend: pa.Table, channel: list[str], scope: Scope, as_of_us: int, basis: Basis) -> AdCosts:
    """Sum the rows of the period: a day is in where its noon lies, so that no day is lost or counted twice.

    Parameters
    ----------
    spend : pyarrow.Table
        The lake's table: day, cost in minor units of `currency`.
    channel : list of str, shape (n_rows,)
        Channel of each row.
    scope : Scope
    as_of_us : int
    basis : Basis
    """
    if not spend.num_rows:
        return AdCosts()
    days = spend.column("day").to_pylist()
    begins = {day: parse_instant_us(day.isoformat(), scope.timezone) for day in set(days)}
    time = np.array([begins[day] for day in days], np.int64)
    start, end, noon = scope.start_us(), scope.end_us(), time + _HALF_DAY_US
    inside = noon <= as_of_us if end is None else noon < min(end, as_of_us + 1)
    inside &= True if start is None else noon >= start
    currency = spend.column("currency").combine_chunks().dictionary_encode()
    cost = spend.column("cost").to_numpy().astype(np.int64)
    codes = currency.indices.to_numpy()
    worth = worth_of(cost[inside], currency.dictionary.to_pylist(), codes[inside], time[inside], basis)
    sums: dict[str, int] = {}
    for name, minor in zip(np.array(channel, dtype=object)[inside].tolist(), worth.minor.tolist(), strict=True):
        sums[name] = sums.get(name, 0) + minor
    return AdCosts(sums, worth.missing)


def cost_columns(costs: AdCosts, channels: list[str], inbound: I64, new_persons: I64, basis: Basis) -> dict[str, Any]:
    """Cost of each channel, by inbound contact and by new person, rounded half-even; null where there is none."""
    cost = [costs.by_channel.get(name) for name in channels]
    return {
        "cost": amounts_column(cost, basis.currency),
        "cost_per_contact": amounts_column(_each(cost, inbound), basis.currency),
        "cost_per_new": amounts_column(_each(cost, new_persons), basis.currency),
    }


def _each(cost: list[int | None], n: I64) -> list[int | None]:
    pairs = zip(cost, n.tolist(), strict=True)
    return [None if whole is None or not count else round(Fraction(whole, count)) for whole, count in pairs]
