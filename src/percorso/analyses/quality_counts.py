"""What one bucket adds to a look at the quality of the data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.orders_in import orders_in
from percorso.analyses.person_orders import refunds_of
from percorso.analyses.select import ScopePlan
from percorso.analyses.worth import Missing
from percorso.engines.buckets import fold_apart
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.quality import N_CELLS, WITH_BOTS, WITHOUT_BOTS, count_events, mark_active
from percorso.store.journey_log import FLAG_BOT, FLAG_HEAVY, Bucket, JourneyLog

__all__ = ["Active", "Orders", "QualityCounts", "QualityPlan", "count_quality"]

_LATEST, _EARLIEST = np.iinfo(np.int64).max, np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class QualityPlan:
    """What to count.

    Parameters
    ----------
    scope : ScopePlan
    sources : tuple of str
        All sources of the log and of the imports, sorted.
    future_end_us : int
        Up to when events count that are flagged as future.
    """

    scope: ScopePlan
    sources: tuple[str, ...]
    future_end_us: int

    @property
    def with_bots(self) -> ScopePlan:
        return replace(self.scope, out_flags=self.scope.out_flags & ~FLAG_BOT)


@dataclass(frozen=True, slots=True)
class Active:
    """Persons, sessions, orders and value of a period; persons with a strong identifier among the persons."""

    persons: int = 0
    identified: int = 0
    sessions: int = 0
    orders: int = 0
    value: int = 0

    def merge(self, other: Active) -> Active:
        return Active(
            self.persons + other.persons,
            self.identified + other.identified,
            self.sessions + other.sessions,
            self.orders + other.orders,
            self.value + other.value,
        )


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders that are in, by source: int64 arrays of shape (n_sources,); `unvalued` came without any value."""

    orders: I64
    value: I64
    unvalued: I64
    missing: tuple[Missing, ...] = ()

    def merge(self, other: Orders) -> Orders:
        return Orders(
            self.orders + other.orders,
            self.value + other.value,
            self.unvalued + other.unvalued,
            self.missing + other.missing,
        )


@dataclass(frozen=True, slots=True)
class QualityCounts:
    """Counts of one bucket, or of several.

    Parameters
    ----------
    cells : int64, shape (n_sources, 64)
        Events in the period, by percorso.kernels.quality's cells.
    first, newest : int64, shape (n_sources,)
        Times of events; the largest and the smallest int64 where there is none.
    orders : Orders
    plain, with_bots : Active
        As questions count by default, and with robots in.
    heavy : int
        Persons with more events than allowed.
    refunds, refunded : int
        Refunds that name no order that is known, and what was given back.
    """

    cells: I64
    first: I64
    newest: I64
    orders: Orders
    plain: Active = field(default_factory=Active)
    with_bots: Active = field(default_factory=Active)
    heavy: int = 0
    refunds: int = 0
    refunded: int = 0

    def merge(self, other: QualityCounts) -> QualityCounts:
        return QualityCounts(
            self.cells + other.cells,
            np.minimum(self.first, other.first),
            np.maximum(self.newest, other.newest),
            self.orders.merge(other.orders),
            self.plain.merge(other.plain),
            self.with_bots.merge(other.with_bots),
            self.heavy + other.heavy,
            self.refunds + other.refunds,
            self.refunded + other.refunded,
        )


def count_quality(
    plan: QualityPlan, log: JourneyLog, basis: Basis, *, threads: int | None = None
) -> tuple[QualityCounts, QualityCounts]:
    """Counts of persons, and of nobody."""
    none = np.zeros(len(plan.sources), np.int64)
    empty = QualityCounts(
        np.zeros((len(none), N_CELLS), np.int64),
        np.full(len(none), _LATEST),
        np.full(len(none), _EARLIEST),
        Orders(none, none, none),
    )

    def count(bucket: Bucket) -> QualityCounts:
        return _count(plan, bucket, basis)

    return fold_apart(log, count, lambda left, right: left.merge(right), empty, count, threads=threads)


def _count(plan: QualityPlan, bucket: Bucket, basis: Basis) -> QualityCounts:
    lut = _lut(plan, bucket)
    orders = _orders(plan.scope, bucket, basis, lut, len(plan.sources))
    has_bots = bucket.count(FLAG_BOT) > 0
    every = _orders(plan.with_bots, bucket, basis, lut, len(plan.sources)) if has_bots else orders
    persons, sessions = _persons(plan, bucket), _sessions(plan, bucket)
    plain, with_bots = (
        Active(*persons[at], sessions[at], int(of.orders.sum()), int(of.value.sum()))
        for at, of in enumerate((orders, every))
    )
    heavy = int(((bucket.persons.values("flags") & FLAG_HEAVY) != 0).sum())
    cells, first, newest = _events(plan, bucket, lut)
    refunds = _refunds(plan.scope, bucket, basis)
    return QualityCounts(cells, first, newest, orders, plain, with_bots, heavy, *refunds)


def _refunds(scope: ScopePlan, bucket: Bucket, basis: Basis) -> tuple[int, int]:
    rows, worth = refunds_of(bucket, scope.as_of_us).loose_worth(bucket, basis)
    time, flags = bucket.events.values("time")[rows], bucket.events.values("flags")[rows]
    inside = (time >= scope.start_us) & (time < scope.end_us) & ((flags & scope.out_flags) == 0)
    return int(inside.sum()), int(worth.minor[inside].sum())


def _lut(plan: QualityPlan, bucket: Bucket) -> I32:
    position = {name: at for at, name in enumerate(plan.sources)}
    return np.array([position[name] for name in bucket.events.dictionary("source")], np.int32)


def _code(bucket: Bucket, column: str, value: str) -> int:
    values = bucket.events.dictionary(column)
    return values.index(value) if value in values else -1


def _events(plan: QualityPlan, bucket: Bucket, lut: I32) -> tuple[I64, I64, I64]:
    n, events, scope = len(plan.sources), bucket.events, plan.scope
    cells = np.zeros((n, N_CELLS), np.int64)
    first, newest = np.full(n, _LATEST), np.full(n, _EARLIEST)
    count_events(
        lut,
        events.values("source"),
        events.values("flags"),
        events.values("time"),
        events.values("stage").astype(np.uint8, copy=False),  # a stage model has at most a handful
        _code(bucket, "stage", ""),
        events.values("direction").astype(np.uint8, copy=False),
        _code(bucket, "direction", "inbound"),
        scope.start_us,
        scope.end_us,
        plan.future_end_us,
        scope.as_of_us,
        cells,
        first,
        newest,
    )
    return cells, first, newest


def _persons(plan: QualityPlan, bucket: Bucket) -> tuple[tuple[int, int], tuple[int, int]]:
    """Active persons, and those of them with a strong identifier: without events of robots, and with them."""
    if not bucket.n_persons:
        return (0, 0), (0, 0)
    active = np.zeros(bucket.n_persons, np.uint8)
    flags, time, scope = bucket.events.values("flags"), bucket.events.values("time"), plan.scope
    out_flags = plan.with_bots.out_flags
    mark_active(bucket.offsets(), flags, time, out_flags, scope.start_us, scope.end_us, active)
    kinds = np.array([kind == "identified" for kind in bucket.persons.dictionary("kind")], np.bool_)
    identified: Bools = kinds[bucket.persons.values("kind")]
    # Where robots are asked to be in, the two are the same.
    wanted = WITHOUT_BOTS if scope.out_flags & FLAG_BOT else WITH_BOTS
    plain, every = (active & wanted) != 0, (active & WITH_BOTS) != 0
    return (int(plain.sum()), int((plain & identified).sum())), (int(every.sum()), int((every & identified).sum()))


def _sessions(plan: QualityPlan, bucket: Bucket) -> tuple[int, int]:
    """Sessions whose first event is in."""
    event = bucket.table("sessions").values("first_event")
    time, flags = bucket.events.values("time")[event], bucket.events.values("flags")[event]
    inside = (time >= plan.scope.start_us) & (time < plan.scope.end_us)
    plain, every = (int((inside & ((flags & scope.out_flags) == 0)).sum()) for scope in (plan.scope, plan.with_bots))
    return plain, every


def _orders(scope: ScopePlan, bucket: Bucket, basis: Basis, lut: I32, n: int) -> Orders:
    found = orders_in(scope, bucket, basis)
    source = lut[bucket.events.values("source")[found.event]]
    unvalued = np.array([not name for name in bucket.table("orders").dictionary("currency")], np.bool_)
    without = unvalued[bucket.table("orders").values("currency")[found.row]] if len(unvalued) else found.worth.known
    value = np.zeros(n, np.int64)
    np.add.at(value, source, found.worth.minor)
    return Orders(_by(source, n), value, _by(source[without], n), found.worth.missing)


def _by(source: I32, n: int) -> I64:
    counts: I64 = np.bincount(source, minlength=n).astype(np.int64)
    return counts
