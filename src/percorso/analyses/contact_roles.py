"""What contacts are in purchase journeys: the first, the last, or one between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.codes import GlobalCodes
from percorso.analyses.contact_plan import ContactPlan, ContactsBy, codes_at, journey_base, journey_states
from percorso.analyses.outcomes import NOT_PURCHASE, old_journeys
from percorso.analyses.select import NO_MASK, select_events
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.contact_roles import N_ROLES, contact_ends, count_roles, distinct_in_groups
from percorso.store.journey_log import Bucket

__all__ = [
    "JourneyContacts",
    "RoleCounts",
    "Roles",
    "journey_contacts",
    "journeys_by_outcome",
    "journeys_with",
    "names_at",
    "no_roles",
    "roles_in",
]


@dataclass(frozen=True, slots=True)
class JourneyContacts:
    """The contacts of the journeys of one bucket, journey by journey, in the order in which they begin there.

    Parameters
    ----------
    offsets : int64 array, shape (n_journeys + 1,)
    position : int32 array, shape (n_nodes,)
        Of the contact among the contacts found.
    row : int32 array, shape (n_nodes,)
        The event with which it begins in the journey.
    inbound : bool array, shape (n_nodes,)
    last_row : int32 array, shape (n_journeys,)
        What begins after this event comes after the goal, and is passed over.
    state : uint8 array, shape (n_journeys,)
        Outcome of the purchase journeys that are in.
    is_old : bool array, shape (n_journeys,)
        Opened its time-out ago or earlier.
    """

    offsets: I64
    position: I32
    row: I32
    inbound: Bools
    last_row: I32
    state: U8
    is_old: Bools


@dataclass(frozen=True, slots=True)
class Roles:
    """What one bucket says of roles: counts of each cell, and the first and last cell of each journey (-1: out)."""

    counts: I64
    first: I32
    last: I32


@dataclass(frozen=True, slots=True)
class RoleCounts:
    """Journeys by the roles of cells: `counts` int64 of shape (n_cells, len(ROLES)), and journeys by outcome (3,)."""

    counts: I64
    journeys: I64

    def merge(self, other: RoleCounts) -> RoleCounts:
        return RoleCounts(self.counts + other.counts, self.journeys + other.journeys)


def no_roles(n_cells: int) -> RoleCounts:
    """Nothing counted yet."""
    return RoleCounts(np.zeros((n_cells, N_ROLES), np.int64), np.zeros(3, np.int64))


def journey_contacts(plan: ContactPlan, bucket: Bucket, found: ContactsBy) -> JourneyContacts:
    """The contacts of a bucket's journeys; `found` are its contacts without the period."""
    events, contacts = bucket.events, found.contacts
    journey, number = events.values("journey"), events.values("contact")
    mask = select_events(plan.whole, bucket).dense()
    n_journeys = len(bucket.table("journeys"))
    n_contacts = int(number.max(initial=-1)) + 1
    state, last_row = journey_states(plan, bucket)
    keep = NO_MASK if mask is None else mask
    row, offsets = distinct_in_groups(journey, number, keep, state, n_journeys, n_contacts)
    old = old_journeys(bucket, plan.scope.as_of_us)
    at = np.zeros(n_contacts, np.int32)
    at[contacts.number] = np.arange(len(contacts), dtype=np.int32)
    position = at[number[row]]
    return JourneyContacts(offsets, position, row, contacts.inbound[position], last_row, state, old)


def roles_in(plan: ContactPlan, bucket: Bucket, found: ContactsBy, of: JourneyContacts) -> Roles:
    """Roles of the cells in the journeys of one bucket."""
    counts = np.zeros((plan.n_cells, N_ROLES), np.int64)
    first, last = np.empty(len(of.state), np.int32), np.empty(len(of.state), np.int32)
    name, base = found.name[of.position], journey_base(plan, bucket)
    contact_ends(of.offsets, name, of.inbound, of.row, of.last_row, of.state, base, first, last)
    count_roles(of.offsets, name, of.row, of.last_row, of.state, of.is_old, base, first, last, counts)
    return Roles(counts, first, last)


def journeys_by_outcome(of: JourneyContacts, roles: Roles) -> I64:
    """Journeys that count, by outcome, int64 of shape (3,)."""
    return np.bincount(of.state[roles.first >= 0], minlength=3).astype(np.int64)


def journeys_with(plan: ContactPlan, bucket: Bucket, found: ContactsBy, of: JourneyContacts, cell: int) -> Bools:
    """Journeys in which a cell is present, bool of shape (n_journeys,)."""
    journey = np.repeat(np.arange(len(of.state)), np.diff(of.offsets))
    inside = (of.state[journey] != NOT_PURCHASE) & (of.row <= of.last_row[journey])
    inside &= journey_base(plan, bucket)[journey] + found.name[of.position] == cell
    present = np.zeros(len(of.state), np.bool_)
    present[journey[inside]] = True
    return present


def names_at(codes: GlobalCodes, bucket: Bucket, found: ContactsBy, of: JourneyContacts) -> I32:
    """Global codes of a column for each contact of the journeys, int32 of shape (n_nodes,); -1 where it is empty."""
    code = codes_at(codes, bucket, found.contacts.row)[of.position]
    return np.where(code == codes.values.index(""), np.int32(-1), code) if "" in codes.values else code
