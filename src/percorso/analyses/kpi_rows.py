"""The rows of an answer about KPIs: values, earlier values, targets, and why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from percorso.analyses.kpi_sums import KpiSums
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.kpi_told import Told, or_nothing
from percorso.analyses.kpi_values import Difference, Estimate, difference_of, estimate_of
from percorso.analyses.worth import amount
from percorso.language.kpi_words import kpi_reason
from percorso.money import exponent

__all__ = ["RowTerms", "kpi_rows", "rows_table", "trend_table", "unreachable"]

_FLOATS = ("value", "low", "high", "previous", "difference", "diff_low", "diff_high", "target")


@dataclass(frozen=True, slots=True)
class RowTerms:
    """How rows are made.

    Parameters
    ----------
    currency : str
    targets : mapping of str to float
        By key.
    absent : mapping of str to str
        KPIs that cannot be computed here, and why: keys of ``missing`` in the catalogue of texts.
    by : str
        The break-down's field, or "".
    language : {"en", "it"}
        Of notes.
    told : Told, optional
        Of what sources tell; None: nobody asks, and a total of nothing is missing.
    earlier : KpiSums, optional
        Sums of the period to compare with.
    told_earlier : Told, optional
        Of what sources told then.
    """

    currency: str
    targets: Mapping[str, float]
    absent: Mapping[str, str]
    by: str = ""
    language: str = "en"
    told: Told | None = None
    earlier: KpiSums | None = None
    told_earlier: Told | None = None

    def divisor(self, kpi: Kpi) -> float:
        """What sums are divided by to be in the KPI's unit."""
        return 10.0 ** exponent(self.currency) if kpi.unit == "money" else 1.0


def kpi_rows(kpis: Iterable[Kpi], found: KpiSums, groups: Sequence[str], how: RowTerms) -> list[dict[str, Any]]:
    """A row for each KPI and value of the break-down; one that cannot be told has one row that says why."""
    rows = []
    for kpi in kpis:
        reason = how.absent.get(kpi.key) or unreachable(kpi, how.by)
        if reason:
            rows.append(_row(kpi, "", Estimate(reason=reason), None, None, how))
            continue
        rows += _rows_of(kpi, found, groups, how)
    return rows


def _rows_of(kpi: Kpi, found: KpiSums, groups: Sequence[str], how: RowTerms) -> list[dict[str, Any]]:
    """The rows of one KPI: in a break-down of the values that have something in one of the periods."""
    sums = (found,) if how.earlier is None else (found, how.earlier)
    tells = (how.told, how.told_earlier)
    cells = range(len(groups))
    each = [[estimate_of(kpi, one, cell, how.divisor(kpi)) for one in sums] for cell in cells]
    shown = [cell for cell in cells if not how.by or any(one.value is not None for one in each[cell])]
    if not shown:
        return [_row_of(kpi, sums, cell, groups[cell], each[cell], how) for cell in cells[:1]]
    for cell in shown:
        each[cell] = [
            one if told is None else or_nothing(kpi, one, mine, cell, told)
            for one, mine, told in zip(each[cell], sums, tells, strict=False)
        ]
    return [_row_of(kpi, sums, cell, groups[cell], each[cell], how) for cell in shown]


def unreachable(kpi: Kpi, by: str) -> str:
    """Why a KPI cannot be broken down by a field; "" where it can."""
    if not by or kpi.reach == "event":
        return ""
    return "" if kpi.reach == "person" and by.startswith("person.") else "not_by"


def _row_of(
    kpi: Kpi, sums: Sequence[KpiSums], cell: int, group: str, estimates: Sequence[Estimate], how: RowTerms
) -> dict[str, Any]:
    if how.earlier is None:
        return _row(kpi, group, estimates[0], None, None, how)
    now, before = estimates
    change = difference_of(kpi, (sums[0], sums[1]), cell, (now, before), how.divisor(kpi))
    return _row(kpi, group, now, before, change, how)


def _row(
    kpi: Kpi, group: str, now: Estimate, before: Estimate | None, change: Difference | None, how: RowTerms
) -> dict[str, Any]:
    target = None if how.by else how.targets.get(kpi.key)
    return {
        "stage": kpi.stage,
        "kpi": kpi.key,
        "group": group,
        "value": now.value,
        "unit": kpi.unit,
        "better": kpi.better,
        "low": now.low,
        "high": now.high,
        "n": now.n,
        "method": now.method,
        "previous": None if before is None else before.value,
        "difference": None if change is None else change.value,
        "diff_low": None if change is None else change.low,
        "diff_high": None if change is None else change.high,
        "target": target,
        "on_target": _on_target(kpi, now.value, target),
        "exact": _exact(kpi, now, how.currency),
        "reason": now.reason,
        "note": kpi_reason(now.reason, how.language) if now.reason else "",
    }


def _on_target(kpi: Kpi, value: float | None, target: float | None) -> bool | None:
    """Has the KPI reached its target? A KPI of which neither way is better is on it within a hundredth."""
    if value is None or target is None:
        return None
    if kpi.better == "neither":
        return abs(value - target) <= abs(target) / 100
    return value >= target if kpi.better == "up" else value <= target


def _exact(kpi: Kpi, now: Estimate, currency: str) -> Decimal | None:
    """A sum of money to the last cent; averages and ratios are no exact amounts."""
    return amount(now.top, currency) if kpi.unit == "money" and kpi.how == "total" and now.value is not None else None


def rows_table(rows: Sequence[Mapping[str, Any]], currency: str, by: str, *, survey: bool = False) -> pa.Table:
    """The rows as table ``kpis``; the break-down's column has its field's name, and is there only with one.

    With `survey` a column of that name follows the KPI.
    """
    kinds: dict[str, pa.DataType] = dict.fromkeys(_FLOATS, pa.float64())
    kinds |= {"n": pa.int64(), "on_target": pa.bool_(), "exact": pa.decimal128(38, exponent(currency))}
    names = (
        "stage",
        "kpi",
        *(("survey",) if survey else ()),
        "group",
        "value",
        "unit",
        "better",
        "low",
        "high",
        "n",
        "method",
        "previous",
        "difference",
    )
    names += ("diff_low", "diff_high", "target", "on_target", "exact", "note")
    columns = {
        (by if name == "group" else name): pa.array([row[name] for row in rows], kinds.get(name, pa.string()))
        for name in names
        if name != "group" or by
    }
    return pa.table(columns)


def trend_table(
    kpis: Iterable[Kpi], found: KpiSums, cells: Sequence[tuple[str, bool, str, int]], how: RowTerms
) -> pa.Table:
    """Table ``trend``: kpi, period, complete, the break-down's value, value, low, high, n.

    Parameters
    ----------
    kpis, found, how
        As of `kpi_rows`.
    cells : sequence of (period, complete, group, cell)
    """
    rows = []
    for kpi in kpis:
        if unreachable(kpi, how.by):
            continue
        each = [estimate_of(kpi, found, cell, how.divisor(kpi)) for *_, cell in cells]
        # In a break-down, values that never have anything are left out.
        shown = {group for (_, _, group, _), one in zip(cells, each, strict=True) if one.value is not None}
        for (period, complete, group, cell), one in zip(cells, each, strict=True):
            if how.told is not None and (not how.by or group in shown):
                one = or_nothing(kpi, one, found, cell, how.told)
            if not how.by or one.value is not None:
                rows.append((kpi.key, period, complete, group, one.value, one.low, one.high, one.n))
    names = ("kpi", "period", "complete", how.by or "group", "value", "low", "high", "n")
    kinds = (pa.string(), pa.string(), pa.bool_(), pa.string(), *[pa.float64()] * 3, pa.int64())
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    table = pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, kinds, strict=True)})
    return table if how.by else table.drop_columns(["group"])
