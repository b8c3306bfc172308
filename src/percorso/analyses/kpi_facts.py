"""What the KPIs read of one bucket, each part once: orders, contacts, marked events, periods and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.calendar import Calendar
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contact_plan import ContactPlan, plan_contacts
from percorso.analyses.contacts import Contacts, contacts_of
from percorso.analyses.jackknife import N_GROUPS, person_groups
from percorso.analyses.opening_hours import OpeningHours
from percorso.analyses.orders_in import OrdersIn, orders_in
from percorso.analyses.purchases import day_calendar
from percorso.analyses.relationship import LapseLimits
from percorso.analyses.select import ScopePlan, plan_scope, select_events
from percorso.analyses.spec import Scope
from percorso.analyses.tallies import Tally, tally
from percorso.analyses.worth import Missing
from percorso.journeys.detail_tables import SERVICE_EVENTS
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.kpi_sums import add_by_slot, count_persons, periods_of, persons_of, slots_of
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["LOOKED_FOR", "Facts", "KpiPlan", "KpiSums", "only_cells", "plan_kpis"]

_ONCE = np.empty(0, np.int64)
_ALL = np.empty(0, np.bool_)
_EVERY_GROUP = np.arange(N_GROUPS, dtype=np.uint8)

#: Events that KPIs look for by name.
LOOKED_FOR = frozenset(
    (
        *("Product Added", "Wishlist Product Added to Cart", "Checkout Started", "Payment Failed"),
        *("Newsletter Subscribed", "Signed Up", "Content Downloaded", "Video Started", "Product Added to Wishlist"),
        *(*SERVICE_EVENTS, "Message Received", "Ticket Resolved"),
        *("Loyalty Joined", "Points Earned", "Points Redeemed", "Points Expired"),
        *("Survey Sent", "Survey Shown", "Survey Answered", "Review Requested", "Product Reviewed"),
        *("Referral Sent", "Referral Converted", "Post Shown"),
    )
)

#: For so many kinds of things, beside the last, it is kept where they are added.
_SLOTS_KEPT = 2

#: Tallies of keys below this are counted in bins instead of sorted.
_BINS = 1 << 18


@dataclass(frozen=True, slots=True)
class KpiPlan:
    """KPIs resolved for one log.

    Parameters
    ----------
    scope : ScopePlan
        Without a period: what follows on a cart or an order may come after it.
    starts, ends : int64 array, shape (n_periods,)
        The periods, ascending.
    by : GlobalCodes or None
        Values of the break-down.
    basis : Basis
    places : ContactPlan
        Contacts by place, without a period.
    channels : GlobalCodes
    days : Calendar
        Of days, up to that of the as-of time.
    lapse : LapseLimits or None
        When customers are at risk, and lost; None where no KPI asks.
    log_as_of_us : int
        The log's own as-of time.
    hours : OpeningHours
        When service is open; by default always.
    """

    scope: ScopePlan
    starts: I64
    ends: I64
    by: GlobalCodes | None
    basis: Basis
    places: ContactPlan
    channels: GlobalCodes
    days: Calendar
    lapse: LapseLimits | None = None
    log_as_of_us: int = 0
    hours: OpeningHours = field(default_factory=OpeningHours)

    @property
    def n_values(self) -> int:
        return 1 if self.by is None else len(self.by.values)

    @property
    def n_cells(self) -> int:
        return len(self.starts) * self.n_values

    @property
    def timezone(self) -> str:
        """Whose days tell orders apart."""
        return self.days.timezone

    @property
    def by_person(self) -> bool:
        return self.by is not None and self.by.table == "persons"


def plan_kpis(scope: Scope, log: JourneyLog, basis: Basis, periods: Sequence[tuple[int, int]]) -> KpiPlan:
    """Resolve a scope for some periods, in any order but apart from each other."""
    whole = replace(scope, start="", end="")
    plan = plan_scope(whole, log, basis)
    ordered = np.array(sorted(periods), np.int64).reshape(-1, 2)
    every = replace(log, buckets=(*log.buckets, log.unidentified))
    by = None
    if scope.by.startswith("person."):
        by = global_codes(log, scope.by.removeprefix("person."), table="persons")
    elif scope.by:
        by = global_codes(every, scope.by)
    return KpiPlan(
        plan,
        ordered[:, 0].copy(),
        ordered[:, 1].copy(),
        by,
        basis,
        places=replace(
            plan_contacts(replace(whole, by="", where="", persons="", persona=""), log, "place"), scope=plan, whole=plan
        ),
        channels=global_codes(every, "channel"),
        days=day_calendar(log, scope.timezone, plan.as_of_us),
        log_as_of_us=log.as_of_us,
    )


@dataclass(frozen=True, slots=True)
class KpiSums:
    """What some buckets add up to.

    Parameters
    ----------
    sums : mapping of str to int64 array, shape (n_cells, 256)
        By cell and group of persons; a name that nothing was added to is not there.
    spans : mapping of str to tuple of (cell, Tally)
        Durations and how they ended.
    missing : tuple of Missing
        Orders without a rate.
    """

    sums: Mapping[str, I64] = field(default_factory=dict)
    spans: Mapping[str, tuple[tuple[int, Tally], ...]] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()

    def merge(self, other: KpiSums) -> KpiSums:
        sums = dict(self.sums)
        for name, more in other.sums.items():
            sums[name] = sums[name] + more if name in sums else more
        spans = dict(self.spans)
        for name, parts in other.spans.items():
            spans[name] = spans.get(name, ()) + parts
        return KpiSums(sums, spans, self.missing + other.missing)


class Facts:
    """One bucket as the KPIs read it, and the sums they make of it; lives for one bucket's pass.

    Parameters
    ----------
    plan : KpiPlan
    bucket : Bucket
    """

    def __init__(self, plan: KpiPlan, bucket: Bucket) -> None:
        self.plan = plan
        self.bucket = bucket
        #: What the KPIs of several stages need, by name, made once.
        self.shared: dict[str, object] = {}
        self._sums: dict[str, I64] = {}
        self._spans: dict[str, tuple[tuple[int, Tally], ...]] = {}
        #: Slots of the things that were added last: most things are added to several sums.
        self._slots: list[tuple[I32, I32, I32]] = []

    def result(self) -> KpiSums:
        """The frozen sums."""
        orders = self.__dict__.get("orders")
        return KpiSums(self._sums, self._spans, () if orders is None else orders.worth.missing)

    @property
    def as_of_us(self) -> int:
        return self.plan.scope.as_of_us

    @property
    def is_earlier(self) -> bool:
        """Is the question asked as of a time before the log's own?"""
        return self.as_of_us < self.plan.log_as_of_us

    @cached_property
    def is_of_nobody(self) -> bool:
        """Is this the bucket of the unidentified?"""
        return self.bucket.n_persons == 0

    @cached_property
    def groups(self) -> U8:
        """Group of each person, uint8 of shape (n_persons,)."""
        return np.ascontiguousarray(person_groups(self.bucket))

    @cached_property
    def keep(self) -> U8 | None:
        """Which events are in, uint8 of shape (n_events,); None: all."""
        return select_events(self.plan.scope, self.bucket).dense()

    @cached_property
    def orders(self) -> OrdersIn:
        """Orders up to the as-of time, by person and time."""
        return orders_in(self.plan.scope, self.bucket, self.plan.basis)

    @cached_property
    def order_cell(self) -> I32:
        """Cell of each of `orders`, int32."""
        orders = self.orders
        return self.cells(orders.time_us, orders.event, orders.person)

    @cached_property
    def contacts(self) -> Contacts:
        """Contacts up to the as-of time."""
        return contacts_of(self.plan.scope, self.bucket)

    @cached_property
    def _event_codes(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.bucket.events.dictionary("event"))}

    @cached_property
    def _marked(self) -> dict[int, I64]:
        """Rows of events that some KPI looks for, ascending, by their codes: all events are looked at once."""
        codes = self.bucket.events.values("event")
        wanted = np.array([name in LOOKED_FOR for name in self._event_codes], np.bool_)
        found = wanted.take(codes) if len(wanted) else np.zeros(0, np.bool_)
        if self.keep is not None:
            found &= self.keep.view(np.bool_)
        rows = np.flatnonzero(found)
        code = codes[rows]
        order = np.argsort(code, kind="stable")  # of small numbers: by their digits
        rows, ends = rows[order], np.cumsum(np.bincount(code, minlength=len(wanted)))
        return {one: rows[ends[one] - n : ends[one]] for one, n in enumerate(np.diff(ends, prepend=0).tolist()) if n}

    def rows_of(self, names: Iterable[str]) -> I64:
        """Rows of events with one of the names, some of LOOKED_FOR, that are in; ascending."""
        known = {self._event_codes[name] for name in names if name in self._event_codes}
        found = [self._marked[code] for code in sorted(known) if code in self._marked]
        if len(found) < 2:
            return found[0] if found else np.empty(0, np.int64)
        return np.sort(np.concatenate(found))

    def is_named(self, rows: I64, *names: str) -> Bools:
        """Which of some rows have one of the names, bool of the rows' shape."""
        known = [self._event_codes[name] for name in names if name in self._event_codes]
        found: Bools = np.isin(self.bucket.events.values("event")[rows], known)
        return found

    def person_of(self, rows: I64 | I32) -> I32:
        """Person of each of some rows, int32."""
        if self.is_of_nobody:
            return np.zeros(len(rows), np.int32)
        found: I32 = persons_of(np.ascontiguousarray(rows, np.int64), self.bucket.offsets())
        return found

    def time_of(self, rows: I64 | I32) -> I64:
        found: I64 = self.bucket.events.values("time")[rows]
        return found

    def cells(self, time: I64, row: I64 | I32 | None, person: I32) -> I32:
        """Cell of each of some things, given when they were, the event that tells their break-down, and whose they are.

        Without rows (what no event stands for) a break-down by a field of events has no cells.
        """
        period = periods_of(np.ascontiguousarray(time), self.plan.starts, self.plan.ends)
        by = self.plan.by
        if by is None:
            return period
        if by.table != "persons" and row is None:
            return np.full(len(period), -1, np.int32)
        if by.table == "persons" and self.is_of_nobody:
            return np.full(len(period), -1, np.int32)
        local = self.bucket.table(by.table).values(by.column)
        at = person if by.table == "persons" else row
        code = by.lut(self.bucket).take(local[at])
        cell: I32 = np.where(period >= 0, period * np.int32(self.plan.n_values) + code, -1).astype(np.int32)
        return cell

    def sum_of(self, name: str) -> I64:
        """The sums of a name, to be added to."""
        found = self._sums.get(name)
        if found is None:
            found = self._sums[name] = np.zeros((self.plan.n_cells, N_GROUPS), np.int64)
        return found

    def add(
        self,
        name: str,
        cell: I32,
        person: I32,
        weight: I64 | None = None,
        *,
        only: Bools | None = None,
        row: I64 | I32 | None = None,
    ) -> None:
        """Add to a sum: one each, or weights; with `only` some of them.

        Of nobody, each thing is of the group that its row says: there are no persons that could be drawn together.
        """
        weights = _ONCE if weight is None else np.ascontiguousarray(weight, np.int64)
        wanted = _ALL if only is None else np.ascontiguousarray(only)
        add_by_slot(self._slots_of(cell, person, row), wanted, weights, self.sum_of(name))

    def _slots_of(self, cell: I32, person: I32, row: I64 | I32 | None) -> I32:
        """Where things are added, as `slots_of` has it; kept for those that were asked for last."""
        if self.is_of_nobody:
            number = np.arange(len(cell)) if row is None else np.asarray(row)
            return slots_of(cell, (number % N_GROUPS).astype(np.int32), _EVERY_GROUP)
        for known_cell, known_person, slots in self._slots:
            if known_cell is cell and known_person is person:
                return slots
        found: I32 = slots_of(cell, np.ascontiguousarray(person, np.int32), self.groups)
        self._slots = [(cell, person, found), *self._slots[:_SLOTS_KEPT]]
        return found

    def add_persons(self, name: str, cell: I32, person: I32) -> None:
        """Add the different persons of each cell; what is of one person stands together."""
        if not self.is_of_nobody:
            count_persons(cell, np.ascontiguousarray(person, np.int32), self.groups, self.sum_of(name))

    def add_spans(self, name: str, cell: I32, keys: I64, *, only: Bools | None = None) -> None:
        """Add durations, or spans with how they ended, to a tally of each cell; keys are at least 0."""
        wanted = cell >= 0 if only is None else (cell >= 0) & only
        if not wanted.any():
            return
        if self.plan.n_cells == 1 and wanted.all():
            self._spans[name] = (*self._spans.get(name, ()), (0, _tally(keys)))
            return
        cells = [0] if self.plan.n_cells == 1 else np.flatnonzero(np.bincount(cell[wanted])).tolist()
        found = tuple((one, _tally(keys[wanted if len(cells) == 1 else wanted & (cell == one)])) for one in cells)
        self._spans[name] = self._spans.get(name, ()) + found


def _tally(keys: I64) -> Tally:
    """As `tallies.tally`, and faster where keys are small."""
    if int(keys.max(initial=0)) >= _BINS:
        return tally(keys)
    counts = np.bincount(keys)
    found = np.flatnonzero(counts)
    return Tally(found, counts[found].astype(np.int64, copy=False))


def only_cells(cell: I32, wanted: Bools) -> I32:
    """The cells of those that are wanted; -1 of the others."""
    found: I32 = np.where(wanted, cell, np.int32(-1)).astype(np.int32, copy=False)
    return found
