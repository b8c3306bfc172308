"""What questions about contacts have in common: names, groups, and which contacts, journeys and orders are in.

A *cell* is one value of a column (a channel, a place) within one group of the break-down: ``group * n_names + name``.
Contacts and orders count by their time; journeys by when they open, and then with all their contacts up to the as-of
time, so that a period does not cut off how they ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contacts import Contacts, contacts_of
from percorso.analyses.outcomes import NOT_PURCHASE, purchase_outcomes
from percorso.analyses.select import ScopePlan, plan_scope
from percorso.analyses.spec import Scope
from percorso.errors import NotFound, nearest_hint
from percorso.kernels.arrays import I32, I64, U8
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "NOTHING",
    "ContactPlan",
    "ContactsBy",
    "cell_of",
    "contacts_by",
    "journey_base",
    "journey_states",
    "plan_contacts",
    "shown_names",
]

#: How a missing value is shown.
NOTHING = "(none)"


@dataclass(frozen=True, slots=True)
class ContactPlan:
    """A question about contacts, resolved for one log.

    Parameters
    ----------
    scope : ScopePlan
        Contacts, orders and persons.
    whole : ScopePlan
        The same without the period: what journeys are made of.
    names : GlobalCodes
        Values of the column asked for, those of the unidentified included.
    by : GlobalCodes or None
    timezone : str
        Whose days the period's are.
    """

    scope: ScopePlan
    whole: ScopePlan
    names: GlobalCodes
    by: GlobalCodes | None
    timezone: str

    @property
    def has_period(self) -> bool:
        return self.scope is not self.whole

    @property
    def n_names(self) -> int:
        return len(self.names.values)

    @property
    def n_groups(self) -> int:
        return 1 if self.by is None else len(self.by.values)

    @property
    def n_cells(self) -> int:
        return self.n_groups * self.n_names


@dataclass(frozen=True, slots=True)
class ContactsBy:
    """Contacts of one bucket, with the name and the cell of each, int32 of shape (n_contacts,)."""

    contacts: Contacts
    name: I32
    cell: I32


def plan_contacts(scope: Scope, log: JourneyLog, column: str, basis: Basis | None = None) -> ContactPlan:
    """Resolve a question about contacts by the values of `column`."""
    plan = plan_scope(scope, log, basis)
    whole = plan
    if scope.start or scope.end:
        whole = replace(plan, start_us=int(np.iinfo(np.int64).min), end_us=plan.as_of_us + 1)
    # The unidentified are no bucket of persons, but their receipts have places and channels of their own.
    names = global_codes(log, column, with_nobody=True)
    return ContactPlan(plan, whole, names, _groups(scope.by, log), scope.timezone)


def _groups(by: str, log: JourneyLog) -> GlobalCodes | None:
    if not by:
        return None
    if by.startswith("person."):
        return global_codes(log, by.removeprefix("person."), table="persons", with_nobody=True)
    return global_codes(log, by, with_nobody=True)


def contacts_by(plan: ContactPlan, scope: ScopePlan, bucket: Bucket) -> ContactsBy:
    """The contacts of a bucket that `scope` (one of the plan's two) sees."""
    contacts = contacts_of(scope, bucket)
    name = codes_at(plan.names, bucket, contacts.row)
    return ContactsBy(contacts, name, name + group_at(plan, bucket, contacts.row, contacts.person) * plan.n_names)


def codes_at(codes: GlobalCodes, bucket: Bucket, row: I32) -> I32:
    """Global codes of some rows of the table that the column belongs to, int32 of the rows' shape."""
    local = bucket.table(codes.table).values(codes.column)
    lut = codes.lut(bucket)
    found: I32 = lut.take(local[row]) if len(lut) else np.zeros(0, np.int32)
    return found


def group_at(plan: ContactPlan, bucket: Bucket, row: I32, person: I32) -> I32:
    """Group of some events, given their rows and persons, int32; 0 without a break-down."""
    if plan.by is None:
        return np.zeros(len(row), np.int32)
    return codes_at(plan.by, bucket, person if plan.by.table == "persons" else row)


def journey_states(plan: ContactPlan, bucket: Bucket) -> tuple[U8, I32]:
    """Which journeys are in, and until which event their contacts count.

    Returns
    -------
    state : uint8, shape (n_journeys,)
        Outcome of purchase journeys that open in the period; NOT_PURCHASE of all others.
    last_row : int32, shape (n_journeys,)
        The goal of converted journeys; of others the end.
    """
    journeys = bucket.table("journeys")
    start = journeys.values("start")
    state = purchase_outcomes(bucket, plan.scope.as_of_us)
    state[(start < plan.scope.start_us) | (start >= plan.scope.end_us)] = NOT_PURCHASE
    goal = journeys.values("goal_event")
    return state, np.where((state == 1) & (goal >= 0), goal, np.iinfo(np.int32).max).astype(np.int32)


def journey_base(plan: ContactPlan, bucket: Bucket) -> I32:
    """First cell of each journey's group, int32 of shape (n_journeys,): that of the event that opened it."""
    journeys = bucket.table("journeys")
    row = np.maximum(journeys.values("first_event"), 0)
    return group_at(plan, bucket, row, journeys.values("person")) * np.int32(plan.n_names)


def shown_names(values: Sequence[str]) -> pa.Array:
    """Names as the answer shows them."""
    return pa.array([value or NOTHING for value in values], pa.string())


def cell_of(plan: ContactPlan, name: str, group: str = "", *, by: str = "") -> int:
    """The cell that a name, and the break-down's value, mean.

    Raises
    ------
    NotFound
        The log has no such value.
    """
    known = plan.names.values
    code = _code(known, name, plan.names.column)
    if plan.by is None:
        return code
    return _code(plan.by.values, group, by or plan.by.column) * len(known) + code


def _code(values: Sequence[str], name: str, column: str) -> int:
    wanted = "" if name == NOTHING else name
    if wanted not in values:
        raise NotFound(f"There is no {column} '{name}'.", hint=nearest_hint(name, [value for value in values if value]))
    return list(values).index(wanted)


def add_at(n: int, index: I32, values: I64) -> I64:
    """Exact sums of int64 values by index, int64 of shape (n,)."""
    sums = np.zeros(n, np.int64)
    np.add.at(sums, index, values)
    return sums
