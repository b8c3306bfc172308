"""What flows and variants have in common: which events are nodes of which case, bucket by bucket.

A *case* is a person, a journey or a session (``per``). Its *path* is the sequence of its nodes: events
seen as ``unit``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.outcomes import OUTCOMES, journeys_of_kind, purchase_outcomes
from percorso.analyses.select import NO_MASK, ScopePlan, plan_scope, select_events
from percorso.analyses.spec import Scope
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I32, U8
from percorso.kernels.paths import path_nodes, person_of_event
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "KINDS",
    "NODE_UNITS",
    "Cases",
    "PathPlan",
    "PathSpec",
    "Stream",
    "cases_of_plan",
    "check_node",
    "plan_paths",
    "stream_of",
]

#: What an event can be seen as.
NODE_UNITS = ("event", "touchpoint", "place", "channel", "stage")

#: Kinds of journeys.
KINDS = ("purchase", "order")

#: Units that belong to the contact, not to each of its events.
_CONTACT_UNITS = ("place", "channel")

_NO_CONTACT = np.empty(0, np.int32)


def _per_journey() -> Scope:
    return Scope(per="journey")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSpec:
    """What questions about paths have in common.

    Parameters
    ----------
    unit : {"event", "touchpoint", "place", "channel", "stage"}
        What an event is seen as. An event without it is passed over. For place and channel a contact is
        one node: its first event in the case; events of no contact are passed over.
    collapse : bool
        A run of equal nodes is one node: its first.
    kind : {"", "purchase", "order"}
        Journeys of this kind only.
    outcome : {"", "converted", "abandoned", "open"}
        Purchase journeys that ended so only.
    scope : Scope
        Period, conditions, break-down (by the first node of the case), and by its `per` what a path is cut by.
    """

    unit: str = "event"
    collapse: bool = False
    kind: str = ""
    outcome: str = ""
    scope: Scope = field(default_factory=_per_journey)

    def __post_init__(self) -> None:
        if self.unit not in NODE_UNITS:
            raise SpecError(f"'{self.unit}' is nothing a path is made of.", hint=nearest_hint(self.unit, NODE_UNITS))
        if self.kind and self.kind not in KINDS:
            raise SpecError(f"There are no '{self.kind}' journeys.", hint=nearest_hint(self.kind, KINDS))
        if self.outcome and self.outcome not in OUTCOMES:
            raise SpecError(f"'{self.outcome}' is no outcome.", hint=nearest_hint(self.outcome, OUTCOMES))
        if (self.kind or self.outcome) and self.scope.per != "journey":
            raise SpecError(
                f"A {self.scope.per} is no journey: it has neither kind nor outcome.", hint="Ask per journey instead."
            )
        if self.outcome and self.kind == "order":
            raise SpecError(
                f"An order journey is never {self.outcome}.", hint="Outcomes are those of purchase journeys."
            )


@dataclass(frozen=True, slots=True)
class PathPlan:
    """A path spec resolved for one log."""

    spec: PathSpec
    scope: ScopePlan
    nodes: GlobalCodes
    by: GlobalCodes | None

    @property
    def by_contact(self) -> bool:
        return self.spec.unit in _CONTACT_UNITS


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one bucket.

    Parameters
    ----------
    of_event : int32 array, shape (n_events,)
        -1: none.
    persons : int32 array, shape (n_cases,)
        Person of each case, ascending.
    """

    of_event: I32
    persons: I32


@dataclass(frozen=True, slots=True)
class Stream:
    """The nodes of all cases of one bucket, in the order of events.

    Parameters
    ----------
    node, case, row : int32 array, shape (n_nodes,)
        Local code, case and event row of each node.
    persons : int32 array, shape (n_cases,)
    group : int32 array, shape (n_cases,)
        Global code of the break-down's value: that of the event at the case's first node; 0 without one.
    keep : uint8 array, shape (n_events,) or (0,)
        Which events are in; of no elements: all.
    cases : int32 array, shape (n_events,)
        Case of each event, whether in or not.
    """

    node: I32
    case: I32
    row: I32
    persons: I32
    group: I32
    keep: U8
    cases: I32

    @property
    def n_cases(self) -> int:
        return len(self.persons)


def plan_paths(spec: PathSpec, log: JourneyLog, basis: Basis | None = None) -> PathPlan:
    """Resolve a path spec for one log."""
    scope = plan_scope(spec.scope, log, basis)
    return PathPlan(spec, scope, global_codes(log, spec.unit), _plan_by(spec.scope.by, log))


def _plan_by(by: str, log: JourneyLog) -> GlobalCodes | None:
    if not by:
        return None
    if by.startswith("person."):
        return global_codes(log, by.removeprefix("person."), table="persons")
    return global_codes(log, by)


def check_node(plan: PathPlan, name: str) -> int:
    """The global code of a node by its name; NotFound with the nearest where there is none."""
    if not name or name not in plan.nodes.values:
        known = [value for value in plan.nodes.values if value]
        raise NotFound(f"There is no {plan.spec.unit} '{name}'.", hint=nearest_hint(name, known))
    return plan.nodes.values.index(name)


def cases_of_plan(plan: PathPlan, bucket: Bucket) -> Cases:
    """The cases of a bucket, without journeys of another kind or outcome than asked for."""
    per, kind, outcome = plan.spec.scope.per, plan.spec.kind, plan.spec.outcome
    if per == "person":
        of_event = np.empty(bucket.n_events, np.int32)
        person_of_event(bucket.offsets(), of_event)
        return Cases(of_event, np.arange(bucket.n_persons, dtype=np.int32))
    cases = Cases(bucket.events.values(per), bucket.table(f"{per}s").values("person"))
    if not (kind or outcome) or not len(cases.persons):
        return cases
    if outcome:
        wanted = purchase_outcomes(bucket, plan.scope.as_of_us) == OUTCOMES.index(outcome)
    else:
        wanted = journeys_of_kind(bucket, kind)
    inside = (cases.of_event >= 0) & wanted[cases.of_event]
    return replace(cases, of_event=np.where(inside, cases.of_event, np.int32(-1)))


def stream_of(plan: PathPlan, bucket: Bucket) -> Stream:
    """The nodes that the plan sees in a bucket."""
    cases = cases_of_plan(plan, bucket)
    events = bucket.events
    mask = select_events(plan.scope, bucket).dense()
    keep = NO_MASK if mask is None else mask
    contact = events.values("contact") if plan.by_contact else _NO_CONTACT
    names = events.dictionary(plan.spec.unit)
    out = [np.empty(bucket.n_events, np.int32) for _ in range(3)]
    n = path_nodes(
        events.values(plan.spec.unit),
        cases.of_event,
        keep,
        contact,
        names.index("") if "" in names else -1,
        plan.spec.collapse,
        len(cases.persons),
        int(contact.max(initial=-1)) + 1,
        *out,
    )
    node, case, row = (column[:n] for column in out)
    group = _groups(plan, bucket, case, row, cases.persons)
    return Stream(node, case, row, cases.persons, group, keep, cases.of_event)


def _groups(plan: PathPlan, bucket: Bucket, case: I32, row: I32, persons: I32) -> I32:
    if plan.by is None:
        return np.zeros(len(persons), np.int32)
    if plan.by.table == "persons":
        rows, codes = persons, bucket.persons.values(plan.by.column)
    else:
        rows, codes = np.zeros(len(persons), np.int32), bucket.events.values(plan.by.column)
        rows[case[::-1]] = row[::-1]  # the last one written is the first node
    return plan.by.lut(bucket).take(codes[rows])
