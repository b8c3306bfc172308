"""Contacts, persons, time and orders of each cell: what one bucket adds, and how it adds up."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.contact_plan import ContactPlan, ContactsBy, add_at, codes_at, group_at
from percorso.analyses.contacts import Contacts
from percorso.analyses.orders_in import OrdersIn, orders_in
from percorso.analyses.select import NO_MASK, select_events
from percorso.analyses.worth import Missing
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.contact_counts import N_COUNTS, active_persons, count_contacts, first_contacts
from percorso.store.journey_log import Bucket

__all__ = [
    "CellCounts",
    "OrdersBy",
    "active_in",
    "count_bucket",
    "count_orders_by",
    "durations_us",
    "new_person_cells",
    "no_counts",
    "orders_by",
]

_LATEST = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class CellCounts:
    """Counts of cells; each array int64 of shape (n_cells,) unless said otherwise.

    Parameters
    ----------
    contacts : shape (n_cells, 4)
        Inbound, outbound, persons, sum of the squares of a person's contacts.
    new_persons : int64 array
        Persons whose first known contact is one of the cell's.
    measured, time_us : int64 array
        Contacts with a known duration, and its sum.
    orders, value, valueless : int64 array
        Orders whose own contact is one of the cell's, in minor units; those without a known value.
    active : int
        Persons with an event that is in.
    first_us, last_us : int
        First and last time of a contact.
    missing : tuple of Missing
        Orders without a rate.
    """

    contacts: I64
    new_persons: I64
    measured: I64
    time_us: I64
    orders: I64
    value: I64
    valueless: I64
    active: int = 0
    first_us: int = _LATEST
    missing: tuple[Missing, ...] = ()

    def merge(self, other: CellCounts) -> CellCounts:
        summed = {
            part.name: getattr(self, part.name) + getattr(other, part.name)
            for part in fields(self)
            if part.name != "first_us"
        }
        return CellCounts(**summed, first_us=min(self.first_us, other.first_us))


@dataclass(frozen=True, slots=True)
class OrdersBy:
    """Orders of one bucket that are in, each with the cell of its own contact (-1: of no group)."""

    orders: OrdersIn
    cell: I32


def no_counts(n_cells: int) -> CellCounts:
    """Nothing counted yet."""
    none = np.zeros(n_cells, np.int64)
    return CellCounts(np.zeros((n_cells, N_COUNTS), np.int64), none, none, none, none, none, none)


def count_bucket(plan: ContactPlan, bucket: Bucket, found: ContactsBy, duration: I64, bought: OrdersBy) -> CellCounts:
    """What one bucket of persons adds; `found` are its contacts in the period, with their durations."""
    contacts, n = found.contacts, plan.n_cells
    counts = np.zeros((n, N_COUNTS), np.int64)
    count_contacts(found.cell, contacts.person, contacts.inbound, counts)
    known = duration >= 0
    new = new_person_cells(plan, bucket, found)
    return CellCounts(
        counts,
        np.bincount(new[new >= 0], minlength=n).astype(np.int64),
        np.bincount(found.cell[known], minlength=n).astype(np.int64),
        add_at(n, found.cell[known], duration[known]),
        *count_orders_by(bought, n),
        active=int(active_in(plan, bucket).sum()),
        first_us=int(contacts.start_us.min(initial=_LATEST)),
        missing=bought.orders.worth.missing,
    )


def count_orders_by(bought: OrdersBy, n_cells: int) -> tuple[I64, I64, I64]:
    """Orders, value and orders without value of each cell."""
    inside = bought.cell >= 0
    cell, worth = bought.cell[inside], bought.orders.worth
    return (
        np.bincount(cell, minlength=n_cells).astype(np.int64),
        add_at(n_cells, cell, worth.minor[inside]),
        np.bincount(cell[~worth.known[inside]], minlength=n_cells).astype(np.int64),
    )


def active_in(plan: ContactPlan, bucket: Bucket) -> Bools:
    """Persons with an event in the period, bool of shape (n_persons,)."""
    mask = select_events(plan.scope, bucket).dense()
    if mask is None:
        return np.ones(bucket.n_persons, np.bool_)
    active: U8 = np.zeros(bucket.n_persons, np.uint8)
    active_persons(bucket.offsets(), mask, active)
    return active.view(np.bool_)


def durations_us(bucket: Bucket, contacts: Contacts) -> I64:
    """Duration of each contact, int64 µs of shape (n_contacts,); -1: not measured.

    A session runs from its first to its last event. Of any other contact only its source can tell: the longest
    duration among its events.
    """
    duration = np.where(contacts.is_session, contacts.end_us - contacts.start_us, np.int64(-1))
    if "details" not in bucket.meta["files"]:
        return duration
    details = bucket.table("details")
    if "duration_s" not in details.names or not len(details):
        return duration
    seconds = details.arrow("duration_s").to_numpy(zero_copy_only=False).astype(np.float64)
    event = details.values("event")
    told = np.flatnonzero(~np.isnan(seconds) & (seconds >= 0))
    contact = bucket.events.values("contact")[event[told]]
    longest = np.full(int(bucket.events.values("contact").max(initial=-1)) + 2, -1, np.int64)
    np.maximum.at(longest, contact, np.rint(seconds[told] * 1e6).astype(np.int64))
    longest[-1] = -1  # where events of no contact were written
    return np.where(contacts.is_session, duration, longest[contacts.number])


def new_person_cells(plan: ContactPlan, bucket: Bucket, found: ContactsBy) -> I32:
    """Cell of each person's first known contact if that is in, int32 of shape (n_persons,); else -1."""
    events = bucket.events
    mask = select_events(plan.scope, bucket).dense()
    row = np.empty(bucket.n_persons, np.int32)
    first_contacts(
        bucket.offsets(),
        events.values("contact"),
        events.values("flags"),
        plan.scope.out_flags,
        NO_MASK if mask is None else mask,
        row,
    )
    return np.where(row >= 0, _at_number(found, found.cell, events.values("contact")[row]), np.int32(-1))


def orders_by(plan: ContactPlan, bucket: Bucket, basis: Basis, found: ContactsBy | None) -> OrdersBy:
    """The orders of a bucket that are in, by the cell of their own contact; of no contact, by what they say themselves.

    `found` are the contacts in the period; None for the bucket of the unidentified, whose receipts speak for
    themselves.
    """
    orders = orders_in(plan.scope, bucket, basis)
    own = codes_at(plan.names, bucket, orders.event)
    if found is None:
        of_persons = plan.by is not None and plan.by.table == "persons"
        group = np.zeros(len(orders), np.int32) if of_persons else group_at(plan, bucket, orders.event, orders.person)
        cell = np.where(of_persons, np.int32(-1), group * np.int32(plan.n_names) + own)
        return OrdersBy(orders, cell.astype(np.int32))
    contact = bucket.events.values("contact")[orders.event]
    name = np.where(contact >= 0, _at_number(found, found.name, contact), own)
    group = group_at(plan, bucket, orders.event, orders.person)
    return OrdersBy(orders, (group * np.int32(plan.n_names) + name).astype(np.int32))


def _at_number(found: ContactsBy, values: I32, number: I32) -> I32:
    """Values of contacts by their number in the bucket; -1 for those that are not in."""
    by_number = np.full(int(found.contacts.number.max(initial=-1)) + 2, -1, np.int32)
    by_number[found.contacts.number] = values
    return by_number[np.minimum(number, len(by_number) - 1)]
