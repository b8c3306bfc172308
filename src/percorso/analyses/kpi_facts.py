"""What the KPIs read of one bucket, each part once: orders, contacts, marked events, periods and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeVar, cast

import numpy as np

from percorso.analyses.codes import GlobalCodes
from percorso.analyses.contacts import inbound_values
from percorso.analyses.jackknife import N_GROUPS, person_groups
from percorso.analyses.kpi_plan import KpiPlan
from percorso.analyses.kpi_sums import Adding, KpiSums, tallies_of
from percorso.analyses.orders_in import OrdersIn, orders_in
from percorso.analyses.person_orders import LiveOrders, Refunds, live_orders, refunds_of
from percorso.analyses.select import NO_MASK, persons_mask, select_events
from percorso.analyses.worth import Missing, Worth
from percorso.journeys.detail_tables import SERVICE_EVENTS
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.kpi_events import codes_of_rows, contact_starts, first_times, rows_by_code
from percorso.kernels.kpi_sums import (
    add_by_slot,
    add_columns,
    count_persons,
    periods_of,
    persons_of,
    slots_of,
)
from percorso.store.journey_log import Bucket

__all__ = ["LOOKED_FOR", "ContactStarts", "Facts", "KpiSums", "Things", "only_cells"]

T = TypeVar("T")

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


@dataclass(frozen=True, slots=True)
class ContactStarts:
    """Contacts of one bucket by the first event of each that is in, in the order of these events.

    Parameters
    ----------
    number, row, person : int32 array, shape (n_contacts,)
        The contact's number within the bucket, that event, and whose it is.
    start_us : int64 array, shape (n_contacts,)
    inbound : bool array, shape (n_contacts,)
        The customer acted.
    """

    number: I32
    row: I32
    person: I32
    start_us: I64
    inbound: Bools

    def __len__(self) -> int:
        return len(self.row)

    def only(self, wanted: I64) -> ContactStarts:
        """Some of them, by their positions, ascending."""
        return ContactStarts(
            self.number[wanted], self.row[wanted], self.person[wanted], self.start_us[wanted], self.inbound[wanted]
        )


class Things(NamedTuple):
    """What is counted: cell and person of each thing, and its row, which tells the things of nobody apart."""

    cell: I32
    person: I32
    row: I64 | I32 | None = None


def _shared(make: Callable[[Facts], T]) -> cached_property[T]:
    """A part that does not change with the as-of time: made by the facts as of the latest, once."""

    def part(facts: Facts) -> T:
        whole = facts.whole
        return make(facts) if whole is facts else cast(T, getattr(whole, make.__name__))

    part.__doc__ = make.__doc__
    return cached_property(part)


class Facts:
    """One bucket as the KPIs read it, and the sums they add it to; lives for one bucket's pass.

    Parameters
    ----------
    plan : KpiPlan
    bucket : Bucket
    into : Adding
    later : Facts, optional
        The same bucket asked for with the same scope but as of a later time: what is read and found once serves both.
    """

    def __init__(self, plan: KpiPlan, bucket: Bucket, into: Adding, later: Facts | None = None) -> None:
        self.plan = plan
        self.bucket = bucket
        self.later = later
        self._made: dict[str, object] = {}
        self._into = into
        #: Slots of the things that were added last: most things are added to several sums.
        self._slots: list[tuple[I32, I32, I32]] = []

    @property
    def whole(self) -> Facts:
        """The facts as of the latest time that these are a part of: themselves, where there are no later ones."""
        return self if self.later is None else self.later

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What several KPIs need, by name; made when it is first asked for."""
        if name not in self._made:
            self._made[name] = make()
        return cast(T, self._made[name])

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

    @_shared
    def groups(self) -> U8:
        """Group of each person, uint8 of shape (n_persons,)."""
        return np.ascontiguousarray(person_groups(self.bucket))

    @_shared
    def keep(self) -> U8 | None:
        """Which events are in, uint8 of shape (n_events,); None: all. Those after the as-of time too: see `by_now`."""
        return select_events(replace(self.plan.scope, limits_time=False), self.bucket).dense()

    @_shared
    def keep_any(self) -> U8 | None:
        """The same whatever the condition: what is first, last, live or new is decided from these."""
        if self.plan.scope.condition is None:
            return self.keep
        return select_events(replace(self.plan.scope, limits_time=False, condition=None), self.bucket).dense()

    def is_in(self, rows: I64 | I32) -> Bools:
        """Which events are in, bool of the rows' shape."""
        found: Bools = np.ones(len(rows), np.bool_) if self.keep is None else self.keep[rows] != 0
        return found

    @_shared
    def seen_us(self) -> I64:
        """Time of each person's first event that is in, int64 of shape (n_persons,); the largest int64: none."""
        if self.keep is None:
            every: I64 = self.bucket.persons.values("first_time")
            return every
        return first_times(self.bucket.offsets(), self.bucket.events.values("time"), self.keep)

    def by_now(self, rows: I64 | I32) -> Bools:
        """Which events had happened by the as-of time, bool of the rows' shape."""
        found: Bools = self.time_of(rows) <= self.as_of_us
        return found

    @cached_property
    def orders(self) -> OrdersIn:
        """Orders up to the as-of time, by person and time."""
        if self.whole is self or self.whole.orders.worth.missing:  # whose worth is missing is told anew
            found = orders_in(self.plan.scope, self.bucket, self.plan.basis)
        else:
            every = self.whole.orders
            done = self.by_now(every.event)
            worth = Worth(every.worth.minor[done], every.worth.known[done])
            found = OrdersIn(every.row[done], every.event[done], every.person[done], every.time_us[done], worth)
        self._into.missing += found.worth.missing
        return found

    @cached_property
    def order_cell(self) -> I32:
        """Cell of each of `orders`, int32."""
        orders = self.orders
        return self.cells(orders.time_us, orders.event, orders.person)

    @cached_property
    def session_cell(self) -> I32:
        """Cell of each session whose first event is in, int32."""
        sessions = self.bucket.table("sessions")
        first = sessions.values("first_event")
        cell = self.cells(sessions.values("start"), first, sessions.values("person"))
        return only_cells(cell, self.keep[first] != 0) if self.keep is not None and len(first) else cell

    @cached_property
    def live(self) -> LiveOrders:
        """Orders of the bucket's persons that are live at the as-of time, whatever the condition."""
        found = live_orders(self.bucket, self.plan.scope.out_flags, self.as_of_us)
        persons = persons_mask(self.plan.scope, self.bucket)
        return found if persons is None else found.only(persons[found.person])

    @cached_property
    def net(self) -> Worth:
        """What each of `live` is worth after refunds up to the as-of time."""
        return self.live.net_worth(self.bucket, self.plan.basis, self.refunds)

    @cached_property
    def refunds(self) -> Refunds:
        """Refunds up to the as-of time, whatever the condition."""
        return refunds_of(self.bucket, self.as_of_us)

    @_shared
    def contacts(self) -> ContactStarts:
        """Contacts with an event that is in, those that begin after the as-of time too."""
        return self._contacts_of(self.keep)

    @_shared
    def contacts_any(self) -> ContactStarts:
        """The same whatever the condition."""
        if self.plan.scope.condition is None:
            return self.contacts
        return self._contacts_of(self.keep_any)

    def _contacts_of(self, keep: U8 | None) -> ContactStarts:
        events = self.bucket.events
        contact = events.values("contact")
        return ContactStarts(
            *contact_starts(
                self.bucket.offsets(),
                contact,
                NO_MASK if keep is None else keep,
                events.values("time"),
                events.values("direction"),
                inbound_values(self.bucket),
                int(contact.max(initial=-1)) + 1,
            )
        )

    def contact_names(self, codes: GlobalCodes) -> I32:
        """Global code of a column for each of `contacts`, by its first event, int32; -1 where it is empty."""
        return self.whole.once(f"names of {codes.column}", lambda: self._contact_names(codes, self.contacts))

    def contact_names_any(self, codes: GlobalCodes) -> I32:
        """The same of `contacts_any`."""
        if self.plan.scope.condition is None:
            return self.contact_names(codes)
        return self.whole.once(f"any names of {codes.column}", lambda: self._contact_names(codes, self.contacts_any))

    def _contact_names(self, codes: GlobalCodes, contacts: ContactStarts) -> I32:
        lut = codes.lut(self.bucket)
        if "" in codes.values:
            lut = np.where(lut == codes.values.index(""), np.int32(-1), lut)
        return codes_of_rows(self.bucket.events.values(codes.column), lut, contacts.row)

    @cached_property
    def _event_codes(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.bucket.events.dictionary("event"))}

    @cached_property
    def _marked(self) -> tuple[I64, list[int]]:
        """Rows of events that some KPI looks for, code by code, and where each code's begin."""
        wanted = np.array([name in LOOKED_FOR for name in self._event_codes], np.bool_)
        keep = NO_MASK if self.keep is None else self.keep
        rows, begin = rows_by_code(self.bucket.events.values("event"), wanted, keep)
        return rows, begin.tolist()

    def rows_of(self, names: Iterable[str]) -> I64:
        """Rows of events with one of the names, some of LOOKED_FOR, that are in; ascending."""
        wanted = tuple(names)
        return self.once(f"rows of {wanted}", lambda: self._rows_of(wanted))

    def _rows_of(self, names: tuple[str, ...]) -> I64:
        rows = self.whole.once(f"every row of {names}", lambda: self.whole._every_row_of(names))
        return rows[self.by_now(rows)] if self.is_earlier and len(rows) else rows

    def _every_row_of(self, names: tuple[str, ...]) -> I64:
        """Those after the as-of time too."""
        every, begin = self._marked
        codes = sorted({self._event_codes[name] for name in names if name in self._event_codes})
        parts = [every[begin[code] : begin[code + 1]] for code in codes]
        parts = [part for part in parts if len(part)]
        if not parts:
            return np.empty(0, np.int64)
        return parts[0] if len(parts) == 1 else np.sort(np.concatenate(parts))

    def is_named(self, rows: I64, *names: str) -> Bools:
        """Which of some rows have one of the names, bool of the rows' shape."""
        known = [self._event_codes[name] for name in names if name in self._event_codes]
        found: Bools = np.isin(self.bucket.events.values("event")[rows], known)
        return found

    def person_of(self, rows: I64 | I32) -> I32:
        """Person of each of some rows, int32."""
        if self.is_of_nobody or not len(rows):
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

    def tell(self, missing: Iterable[Missing]) -> None:
        """Say of which amounts there is no rate."""
        self._into.missing += missing

    def sum_of(self, name: str) -> I64:
        """The sums of a name, to be added to."""
        return self._into.sum_of(name)

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
        self._add(name, Things(cell, person, row), weights, _ALL if only is None else np.ascontiguousarray(only))

    def _add(self, name: str, things: Things, weight: I64, wanted: Bools) -> None:
        """Add to a sum; of no elements: each counts once, and all are wanted."""
        sums = self.sum_of(name)
        if len(things.cell):
            add_by_slot(self._slots_of(things), wanted, weight, sums)

    def add_columns(self, names: tuple[str, ...], cell: I32, person: I32, values: I32) -> None:
        """Add to several sums at once: weights, int32 of shape (n, n_names). Of persons alone."""
        add_columns(self._slots_of(Things(cell, person)), values, self._into.block_of(names))

    def _slots_of(self, things: Things) -> I32:
        """Where things are added, as `slots_of` has it; kept for those that were asked for last."""
        cell, person, row = things
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

    def add_spans(
        self, name: str, cell: I32, keys: I64, *, only: Bools | None = None, weights: I64 | None = None
    ) -> None:
        """Add durations, or spans with how they ended, to a tally of each cell; keys are at least 0.

        With weights these are added up, instead of how many there are.
        """
        if not len(cell):
            return
        wanted = _ALL if only is None else only
        self._into.add_spans(name, tallies_of(cell, keys, wanted, self.plan.n_cells, weights))


def only_cells(cell: I32, wanted: Bools) -> I32:
    """The cells of those that are wanted; -1 of the others."""
    found: I32 = np.where(wanted, cell, np.int32(-1)).astype(np.int32, copy=False)
    return found
