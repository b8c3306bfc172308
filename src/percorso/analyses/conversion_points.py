"""Where orders happen: by touchpoint, page and place of the order itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from percorso.analyses.contact_counts import OrdersBy
from percorso.analyses.contact_plan import NOTHING
from percorso.analyses.worth import amounts_column
from percorso.kernels.arrays import I64
from percorso.store.journey_log import Bucket

__all__ = ["Points", "count_points", "points_table"]

_COLUMNS = ("touchpoint", "page", "place")

Point: TypeAlias = tuple[int, str, str, str]


@dataclass(frozen=True, slots=True)
class Points:
    """Orders and their value in minor units by cell, touchpoint, page and place."""

    counts: Mapping[Point, tuple[int, int]] = field(default_factory=dict)

    def merge(self, other: Points) -> Points:
        merged = dict(self.counts)
        for point, (orders, value) in other.counts.items():
            before = merged.get(point, (0, 0))
            merged[point] = before[0] + orders, before[1] + value
        return Points(merged)


def count_points(bucket: Bucket, bought: OrdersBy) -> Points:
    """Points of conversion of the orders of one bucket."""
    inside = np.flatnonzero(bought.cell >= 0)
    if not len(inside):
        return Points()
    codes = [bucket.events.values(name)[bought.orders.event[inside]].astype(np.int64) for name in _COLUMNS]
    keys = [bought.cell[inside].astype(np.int64), *codes]
    first, at = _distinct(keys)
    distinct = [key[first] for key in keys]
    orders = np.bincount(at, minlength=len(first))
    value: I64 = np.zeros(len(first), np.int64)
    np.add.at(value, at, bought.orders.worth.minor[inside])
    texts = [
        bucket.events.arrow(name).dictionary.take(pa.array(column)).to_pylist()
        for name, column in zip(_COLUMNS, distinct[1:], strict=True)
    ]
    points = zip(distinct[0].tolist(), *texts, strict=True)
    # Distinct by code is distinct by text: a dictionary has each text once.
    return Points(dict(zip(points, zip(orders.tolist(), value.tolist(), strict=True), strict=True)))


def _distinct(keys: Sequence[I64]) -> tuple[I64, I64]:
    """Where each combination of several keys stands first, and the combination of each position.

    One key after the other: a sort of numbers instead of one of columns, and no product of sizes that overflows.
    """
    first, at = np.zeros(0, np.int64), np.zeros(len(keys[0]), np.int64)
    for key in keys:
        _, first, at = np.unique(at * (int(key.max()) + 1) + key, return_index=True, return_inverse=True)
    return first, at


def points_table(points: Points, column: str, names: Sequence[str], currency: str) -> pa.Table:
    """Points by name, the most frequent first; cells are names (there is no break-down).

    What the order itself says under the name of the first column is ``order_…``; of touchpoints it is the same.
    """
    rows = sorted(points.counts.items(), key=lambda item: (item[0][0], -item[1][0], item[0][1:]))
    shown: dict[str, Any] = {column: [names[point[0]] or NOTHING for point, _ in rows]}
    for n, name in enumerate(_COLUMNS, start=1):
        if name == column == "touchpoint":
            continue
        shown[name if name != column else f"order_{name}"] = [str(point[n]) or NOTHING for point, _ in rows]
    columns: dict[str, Any] = {name: pa.array(values, pa.string()) for name, values in shown.items()}
    columns["orders"] = pa.array([orders for _, (orders, _) in rows], pa.int64())
    columns["value"] = amounts_column([value for _, (_, value) in rows], currency)
    return pa.table(columns)
