"""The answer about channels and about places: gathered bucket by bucket, shown as one table and those beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.contact_counts import (
    CellCounts,
    OrdersBy,
    count_bucket,
    count_orders_by,
    durations_us,
    no_counts,
    orders_by,
)
from percorso.analyses.contact_moves import Moves, count_moves, no_moves
from percorso.analyses.contact_plan import ContactPlan, ContactsBy, contacts_by, shown_names
from percorso.analyses.contact_roles import (
    JourneyContacts,
    RoleCounts,
    journey_contacts,
    journeys_by_outcome,
    names_at,
    no_roles,
    roles_in,
)
from percorso.analyses.conversion_points import Points, count_points
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.jackknife import t_975
from percorso.analyses.kept import KEPT_TIMES, Kept, n_bytes
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.survival import TOO_YOUNG, watched_enough
from percorso.analyses.watched_period import AskedPeriod, ask_instead
from percorso.analyses.worth import Missing, amounts_column, missing_rate_warnings
from percorso.engines.buckets import fold_apart, fold_buckets
from percorso.kernels.arrays import F64, I32, I64
from percorso.kernels.contact_counts import INBOUND, OUTBOUND, PERSONS, SQUARES
from percorso.kernels.contact_roles import ROLES
from percorso.language.said import Codes, said
from percorso.language.words import Family
from percorso.money import exponent
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "Gathered",
    "OfNobody",
    "by_name",
    "contact_table",
    "contact_totals",
    "contact_warnings",
    "few_warning",
    "fold_with_nobody",
    "gather",
    "order_columns",
    "order_totals",
    "period_weeks",
    "ratio_column",
    "reach_columns",
    "role_columns",
    "seconds_column",
    "time_columns",
    "value_warnings",
    "wilson_columns",
    "young_warning",
]

P = TypeVar("P")

_WEEK_US = 7 * 86_400_000_000
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Part:
    """What one bucket adds."""

    counts: CellCounts
    roles: RoleCounts
    moves: Moves
    points: Points
    beside: Any

    def merge(self, other: _Part) -> _Part:
        return _Part(
            self.counts.merge(other.counts),
            self.roles.merge(other.roles),
            self.moves.merge(other.moves),
            self.points.merge(other.points),
            _merged(self.beside, other.beside),
        )


def _merged(left: Any, right: Any) -> Any:
    """What two parts counted beside; a run of no buckets has counted nothing."""
    if left is None or right is None:
        return right if left is None else left
    return left.merge(right)


@dataclass(frozen=True, slots=True)
class OfNobody:
    """Receipts of nobody: of no group of persons, but in every total.

    Parameters
    ----------
    cells : tuple of int64 arrays, shape (n_cells,)
        Orders, value and orders without value of each cell; nowhere with a break-down by a field of persons.
    total : tuple of int
        The same of all, taken before there are cells.
    missing : tuple of Missing
    """

    cells: tuple[I64, I64, I64]
    total: tuple[int, int, int] = (0, 0, 0)
    missing: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that is known of the cells of a question.

    Parameters
    ----------
    counts, roles, moves, points
        Of persons.
    beside : Any
        What the question's own task counted.
    nobody : OfNobody
    time_us : int64 array, shape (n_cells, 2)
        Median and 90th percentile of the measured durations; -1: none is.
    weeks : float
        Length of the period.
    """

    counts: CellCounts
    roles: RoleCounts
    moves: Moves
    points: Points
    beside: Any
    nobody: OfNobody
    time_us: I64
    weeks: float


#: Counts something else in one bucket: contacts of its journeys, and what they are; what it gives has `merge`.
Beside = Callable[[Bucket, ContactsBy, JourneyContacts], Any]


def gather(
    plan: ContactPlan, log: JourneyLog, basis: Basis, *, beside: Beside | None = None, threads: int | None = None
) -> Gathered:
    """Count everything in one pass over the buckets, then the medians of durations.

    Parameters
    ----------
    plan : ContactPlan
    log : JourneyLog
    basis : Basis
    beside : callable, optional
        Counts something more in each bucket.
    threads : int, optional
    """
    empty = _Part(no_counts(plan.n_cells), no_roles(plan.n_cells), no_moves(), Points(), None)
    durations = Kept(lambda b: _measured(contacts_by(plan, plan.scope, b), b), n_bytes, KEPT_TIMES)
    found, nobody = fold_with_nobody(
        plan,
        log,
        lambda bucket: _part(plan, bucket, basis, beside, durations),
        _Part.merge,
        empty,
        lambda bucket: orders_by(plan, bucket, basis, None),
        threads=threads,
    )
    time = find_quantiles(log, durations, found.counts.measured, threads=threads)
    return Gathered(
        found.counts,
        found.roles,
        found.moves,
        found.points,
        found.beside,
        nobody,
        time,
        period_weeks(plan, found.counts.first_us),
    )


def _measured(found: ContactsBy, bucket: Bucket) -> tuple[I32, I64]:
    """Cell and duration of measured contacts."""
    duration = durations_us(bucket, found.contacts)
    known = duration >= 0
    return found.cell[known], duration[known]


def _part(
    plan: ContactPlan,
    bucket: Bucket,
    basis: Basis,
    beside: Beside | None,
    durations: Kept[tuple[I32, I64]],
) -> _Part:
    found = contacts_by(plan, plan.scope, bucket)
    whole = contacts_by(plan, plan.whole, bucket) if plan.has_period else found
    of = journey_contacts(plan, bucket, whole)
    roles = roles_in(plan, bucket, whole, of)
    duration = durations_us(bucket, found.contacts)
    known = duration >= 0
    durations.put(bucket, (found.cell[known], duration[known]))
    bought = orders_by(plan, bucket, basis, found)
    return _Part(
        count_bucket(plan, bucket, found, duration, bought),
        RoleCounts(roles.counts, journeys_by_outcome(of, roles)),
        count_moves(bucket, of, names_at(plan.names, bucket, whole, of), plan.n_names),
        count_points(bucket, bought),
        None if beside is None else beside(bucket, whole, of),
    )


def fold_with_nobody(
    plan: ContactPlan,
    log: JourneyLog,
    task: Callable[[Bucket], P],
    merge: Callable[[P, P], P],
    empty: P,
    find: Callable[[Bucket], OrdersBy],
    *,
    threads: int | None = None,
) -> tuple[P, OfNobody]:
    """What a task says of persons, and the receipts of nobody; there are none where the question is about persons.

    Parameters
    ----------
    plan : ContactPlan
    log, task, merge, empty, threads
        As of `percorso.engines.buckets.fold_buckets`.
    find : callable
        The orders of a bucket that are in, and their cells.
    """
    if plan.scope.is_of_persons:
        return fold_buckets(log, task, merge, empty, threads=threads), OfNobody(_no_cells(plan.n_cells))
    return fold_apart(log, task, merge, empty, lambda bucket: _of_nobody(find(bucket), plan.n_cells), threads=threads)


def _of_nobody(bought: OrdersBy, n_cells: int) -> OfNobody:
    worth = bought.orders.worth
    total = (len(bought.orders), int(worth.minor.sum()), int((~worth.known).sum()))
    return OfNobody(count_orders_by(bought, n_cells), total, worth.missing)


def _no_cells(n_cells: int) -> tuple[I64, I64, I64]:
    """No orders, value and orders without value of so many cells."""
    none = np.zeros(n_cells, np.int64)
    return none, none, none


def period_weeks(plan: ContactPlan, first_us: int) -> float:
    """Length of the period: from its start, else from the first contact, to its end, else to the as-of time."""
    limits = np.iinfo(np.int64)
    start = first_us if plan.scope.start_us == limits.min else plan.scope.start_us
    end = min(plan.scope.end_us, plan.scope.as_of_us + 1)
    return max(end - start, 0) / _WEEK_US if start != limits.max else 0.0


# ------------------------------------------------------------------------------------------------- the main table


def contact_table(plan: ContactPlan, found: Gathered, column: str, basis: Basis) -> pa.Table:
    """A row a cell that has anything, the most persons first."""
    contacts = found.counts.contacts
    anything = contacts[:, PERSONS] + found.counts.orders + found.nobody.cells[0] + found.roles.counts[:, 0]
    shown = np.flatnonzero(anything)
    group, name = shown // max(plan.n_names, 1), shown % max(plan.n_names, 1)
    number = contacts[shown, INBOUND] + contacts[shown, OUTBOUND]
    order = np.lexsort((name, -number, -contacts[shown, PERSONS], group))
    cells = shown[order]
    columns: dict[str, Any] = {}
    if plan.by is not None:
        columns[by_name(plan)] = shown_names(plan.by.values).take(pa.array(group[order]))
    columns[column] = shown_names(plan.names.values).take(pa.array(name[order]))
    counts = found.counts
    columns |= reach_columns(counts.contacts[cells], counts.active, found.weeks, counts.new_persons[cells])
    columns |= time_columns(counts.contacts[cells], counts.measured[cells], counts.time_us[cells], found.time_us[cells])
    columns |= role_columns(found.roles.counts[cells])
    return pa.table(columns | order_columns(_money(found), cells, basis))


def _money(found: Gathered) -> tuple[I64, I64, I64, I64]:
    return found.counts.orders, found.counts.value, *found.nobody.cells[:2]


def by_name(plan: ContactPlan) -> str:
    """The break-down's field, as it was asked for."""
    assert plan.by is not None
    return f"person.{plan.by.column}" if plan.by.table == "persons" else plan.by.column


def reach_columns(counts: I64, active: int, weeks: float, new_persons: I64 | None = None) -> dict[str, Any]:
    """Contacts, persons and how often, of rows of what `count_contacts` counts."""
    contacts, persons = counts[:, INBOUND] + counts[:, OUTBOUND], counts[:, PERSONS]
    mean, half = _mean_interval(contacts, counts[:, SQUARES], persons)
    weekly = mean / weeks if weeks else np.full(len(counts), np.nan)
    return {
        "contacts": contacts,
        "inbound": counts[:, INBOUND],
        "outbound": counts[:, OUTBOUND],
        "persons": persons,
        **wilson_columns("share", persons, np.full(len(counts), active)),
        **({} if new_persons is None else {"new_persons": new_persons}),
        "frequency": _known(mean),
        "frequency_low": _known(mean - half),
        "frequency_high": _known(mean + half),
        "per_week": _known(weekly),
    }


def _mean_interval(total: I64, squares: I64, n: I64) -> tuple[F64, F64]:
    """Mean per person and half of its 95 % interval; NaN where too few.

    The jackknife that leaves out one person at a time; for a mean it is s / √n exactly (Efron and Tibshirani (1993), An
    Introduction to the Bootstrap, 11.2), so that sums and sums of squares are all it takes::

        s² = (Σ x² − (Σ x)² / n) / (n − 1),   half = t(0.975, n − 1) · s / √n
    """
    mean, half = np.full(len(n), np.nan), np.full(len(n), np.nan)
    for i, (sum_, square, count) in enumerate(zip(total.tolist(), squares.tolist(), n.tolist(), strict=True)):
        if count:
            mean[i] = sum_ / count
        if count > 1:
            variance = (square * count - sum_ * sum_) / (count * (count - 1))
            half[i] = t_975(count - 1) * float(np.sqrt(variance / count))
    return mean, half


def time_columns(counts: I64, measured: I64, total_us: I64, quantiles_us: I64) -> dict[str, Any]:
    """Time of measured contacts; null where none is."""
    return {
        "measured_share": ratio_column(measured, counts[:, INBOUND] + counts[:, OUTBOUND]),
        "median_s": seconds_column(quantiles_us[:, 0], measured),
        "p90_s": seconds_column(quantiles_us[:, 1], measured),
        "total_s": seconds_column(total_us, measured),
    }


def role_columns(counts: I64) -> dict[str, Any]:
    """Journeys by roles, and the conversion of those that are closed, where enough of them have been watched."""
    roles = {name: counts[:, n] for n, name in enumerate(ROLES)}
    shown: dict[str, Any] = {name: roles.pop(name) for name in ("journeys", "converted", "open")}
    closed, watched = shown["journeys"] - shown["open"], roles.pop("watched")
    # Of young journeys only those that were soon bought are closed.
    told = np.array([watched_enough(*pair) for pair in zip(closed.tolist(), watched.tolist(), strict=True)], np.bool_)
    shown |= wilson_columns("conversion", shown["converted"] * told, closed * told)
    young = ~told & (shown["journeys"] > 0)
    return shown | {"conversion_missing": pa.array([TOO_YOUNG] * len(told), pa.string(), mask=~young)} | roles


def order_columns(money: tuple[I64, I64, I64, I64], cells: I64, basis: Basis) -> dict[str, Any]:
    """Orders and value of persons, and of nobody."""
    orders, value, nobody_orders, nobody_value = (part[cells] for part in money)
    return {
        "orders": orders,
        "value": amounts_column(value, basis.currency),
        "unidentified_orders": nobody_orders,
        "unidentified_value": amounts_column(nobody_value, basis.currency),
    }


def wilson_columns(name: str, hits: I64, n: I64) -> dict[str, Any]:
    """A share with its 95 % interval, null where there is nothing to share."""
    pairs = [wilson(*pair) or (None, None) for pair in zip(hits.tolist(), n.tolist(), strict=True)]
    return {
        name: ratio_column(hits, n),
        f"{name}_low": pa.array([low for low, _ in pairs], pa.float64()),
        f"{name}_high": pa.array([high for _, high in pairs], pa.float64()),
    }


def ratio_column(part: I64, whole: I64) -> pa.Array:
    """Shares, null where there is nothing to share."""
    return pa.array(part / np.maximum(whole, 1), mask=whole == 0)


def seconds_column(time_us: I64, known: I64) -> pa.Array:
    """µs as seconds, null where nothing is known."""
    return pa.array(time_us / 1e6, mask=known == 0)


def _known(values: F64) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


# ------------------------------------------------------------------------------------------------ totals and warnings


def contact_totals(found: Gathered, basis: Basis) -> dict[str, Any]:
    """Single numbers of the answer; `orders` and `value` are those of persons, the unidentified stand apart."""
    counts, journeys = found.counts.contacts, found.roles.journeys
    return {
        "currency": basis.currency,
        "persons": found.counts.active,
        "contacts": int(counts[:, INBOUND].sum() + counts[:, OUTBOUND].sum()),
        "inbound": int(counts[:, INBOUND].sum()),
        "outbound": int(counts[:, OUTBOUND].sum()),
        "new_persons": int(found.counts.new_persons.sum()),
        "weeks": found.weeks,
        "journeys": int(journeys.sum()),
        "converted": int(journeys[1]),
        "open": int(journeys[0]),
        **order_totals(found.counts.orders, found.counts.value, found.counts.valueless, found.nobody, basis),
    }


def order_totals(orders: I64, value: I64, valueless: I64, nobody: OfNobody, basis: Basis) -> dict[str, Any]:
    """Orders and value of persons, and of nobody."""
    return {
        "orders": int(orders.sum()),
        "value": _amount(int(value.sum()), basis),
        "valueless_orders": int(valueless.sum()),
        "unidentified_orders": nobody.total[0],
        "unidentified_value": _amount(nobody.total[1], basis),
    }


def _amount(minor: int, basis: Basis) -> Decimal:
    return Decimal(minor).scaleb(-exponent(basis.currency))


def contact_warnings(table: pa.Table, column: Family, found: Gathered, basis: Basis) -> tuple[str, ...]:
    """What to know: few persons, orders without a value, missing rates."""
    valueless = int(found.counts.valueless.sum()) + found.nobody.total[2]
    told = value_warnings(valueless, (*found.counts.missing, *found.nobody.missing), basis)
    return (*few_warning(table, column), *told)


def young_warning(plan: ContactPlan, command: str, tables: Iterable[pa.Table], log: JourneyLog) -> tuple[str, ...]:
    """Conversion that is left out of some row, and which period to ask for instead."""
    columns = [table.column("conversion_missing") for table in tables if "conversion_missing" in table.column_names]
    if all(column.null_count == len(column) for column in columns):
        return ()
    limits, scope = np.iinfo(np.int64), plan.scope
    start = None if scope.start_us == limits.min else scope.start_us
    end = min(scope.end_us, scope.as_of_us + 1)
    instead = ask_instead(AskedPeriod(command, plan.timezone, scope.as_of_us, start, end), log)
    return (said("warnings.young_conversion", instead=instead),)


def value_warnings(valueless: int, missing: tuple[Missing, ...], basis: Basis) -> tuple[str, ...]:
    """Orders that add nothing to value, and why."""
    unpriced = valueless - sum(one.orders for one in missing)
    told: tuple[str, ...] = ()
    if unpriced:
        told = (said("warnings.valueless_here", n=unpriced),)
    return (*told, *missing_rate_warnings(missing, basis))


def few_warning(table: pa.Table, column: Family) -> tuple[str, ...]:
    """Which rows rest on fewer persons than `FEW`."""
    names = [
        name
        for name, persons in zip(table.column(column).to_pylist(), table.column("persons").to_pylist(), strict=True)
        if persons < FEW
    ]
    if not names:
        return ()
    named = Codes(column, tuple(dict.fromkeys(names)), _MOST_NAMED)
    return (said("warnings.few_named", few=FEW, names=named),)
