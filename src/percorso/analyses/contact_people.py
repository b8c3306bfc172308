"""The persons behind the numbers of a channel or a place."""

from __future__ import annotations

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.contact_counts import new_person_cells, orders_by
from percorso.analyses.contact_plan import ContactPlan, cell_of, contacts_by
from percorso.analyses.contact_roles import journey_contacts, journeys_with, roles_in
from percorso.analyses.people import PersonTask
from percorso.errors import SpecError, nearest_hint
from percorso.kernels.arrays import I32, Bools
from percorso.store.journey_log import Bucket

__all__ = ["ROLES_OF_PEOPLE", "check_role", "contact_people", "marked_persons"]

#: Which persons of a cell one can ask for.
ROLES_OF_PEOPLE = ("reached", "new", "first", "last", "assist", "bought")


def check_role(role: str, known: tuple[str, ...]) -> None:
    """SpecError unless the role is one of those known."""
    if role not in known:
        raise SpecError(f"There is no role '{role}'.", hint=nearest_hint(role, known, show=len(known)))


def contact_people(plan: ContactPlan, name: str, role: str, group: str = "") -> PersonTask:
    """The persons behind a cell.

    Parameters
    ----------
    plan : ContactPlan
    name : str
        The channel or place, "(none)" included.
    role : {"reached", "new", "first", "last", "assist", "bought"}
        With a contact; whose first known contact it is; with a journey in which it is the first, the last, or present
        and neither; with an order whose own contact it is.
    group : str
        The break-down's value.
    """
    check_role(role, ROLES_OF_PEOPLE)
    cell = cell_of(plan, name, group)
    if role in ("first", "last", "assist"):
        return lambda bucket: _by_role(plan, bucket, cell, role)
    return lambda bucket: _by_contact(plan, bucket, cell, role)


def _by_contact(plan: ContactPlan, bucket: Bucket, cell: int, role: str) -> Bools:
    found = contacts_by(plan, plan.scope, bucket)
    if role == "new":
        new: Bools = new_person_cells(plan, bucket, found) == cell
        return new
    if role == "bought":
        bought = orders_by(plan, bucket, Basis(), found)
        return marked_persons(bucket, bought.orders.person[bought.cell == cell])
    return marked_persons(bucket, found.contacts.person[found.cell == cell])


def _by_role(plan: ContactPlan, bucket: Bucket, cell: int, role: str) -> Bools:
    whole = contacts_by(plan, plan.whole, bucket)
    of = journey_contacts(plan, bucket, whole)
    roles = roles_in(plan, bucket, whole, of)
    is_it = {"first": roles.first == cell, "last": roles.last == cell}
    if role == "assist":
        inside = journeys_with(plan, bucket, whole, of, cell) & (roles.first >= 0)
        inside &= ~(is_it["first"] | is_it["last"])
    else:
        inside = is_it[role]
    return marked_persons(bucket, bucket.table("journeys").values("person")[inside])


def marked_persons(bucket: Bucket, persons: I32) -> Bools:
    """Bool of shape (n_persons,)."""
    marked = np.zeros(bucket.n_persons, np.bool_)
    marked[persons] = True
    return marked
