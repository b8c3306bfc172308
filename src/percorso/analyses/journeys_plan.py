"""What a question about journeys asks, and what it means for one log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from percorso.analyses.activity import whole_history
from percorso.analyses.basis import Basis
from percorso.analyses.breakdown import groups_of, plan_breakdown
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.fields import is_coded
from percorso.analyses.outcomes import journeys_of_kind
from percorso.analyses.select import ScopePlan, plan_scope, select_events
from percorso.analyses.spec import Scope
from percorso.errors import SpecError, nearest_hint
from percorso.kernels.arrays import I32, I64, Bools
from percorso.store.journey_log import CODED_COLUMNS, FLAG_BOT, FLAG_HEAVY, Bucket, JourneyLog

__all__ = [
    "JOURNEY_FIELDS",
    "KINDS",
    "JourneysPlan",
    "JourneysSpec",
    "chosen_journeys",
    "journey_groups",
    "plan_journeys",
]

KINDS = ("purchase", "order")

#: Fields of journeys themselves, beside those of their first event.
JOURNEY_FIELDS = ("first_channel", "first_place", "stage_reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneysSpec:
    """How journeys end, how long they are, and how fast they convert.

    Parameters
    ----------
    kind : {"", "purchase", "order"}
        Only journeys of this kind.
    by : str
        Field of journeys (first_channel, first_place, stage_reached), or of their first event.
    scope : Scope
        Journeys that open in its period, and whose first event meets its condition.
    """

    kind: str = ""
    by: str = ""
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        if self.kind and self.kind not in KINDS:
            raise SpecError(f"There are no '{self.kind}' journeys.", hint=nearest_hint(self.kind, KINDS))
        if self.scope.by:
            raise SpecError("Journeys are broken down by a field of theirs.", hint="Give it as `by` of the question.")
        if self.by and self.by not in JOURNEY_FIELDS and not is_coded(self.by):
            known = (*JOURNEY_FIELDS, *CODED_COLUMNS)
            raise SpecError(
                f"One cannot break journeys down by '{self.by}'.", hint=nearest_hint(self.by, known, show=30)
            )


@dataclass(frozen=True, slots=True)
class JourneysPlan:
    """A spec resolved for one log.

    Parameters
    ----------
    scope : ScopePlan
        Period and condition choose journeys.
    counted : ScopePlan
        Which events count in them: all up to the as-of time that are in by their flags.
    by : GlobalCodes or None
    """

    spec: JourneysSpec
    scope: ScopePlan
    counted: ScopePlan
    by: GlobalCodes | None

    @property
    def groups(self) -> tuple[str, ...]:
        """Values of the break-down; one without a name where there is none."""
        return ("",) if self.by is None else self.by.values


def plan_journeys(spec: JourneysSpec, log: JourneyLog, basis: Basis) -> JourneysPlan:
    """Resolve a spec for one log."""
    scope = plan_scope(spec.scope, log, basis)
    counted = replace(whole_history(scope, log), condition=None)
    if spec.by in JOURNEY_FIELDS:
        return JourneysPlan(spec, scope, counted, global_codes(log, spec.by, table="journeys"))
    return JourneysPlan(spec, scope, counted, plan_breakdown(spec.by, log))


def _first_events(bucket: Bucket) -> I32:
    """The event that each journey opens with; of an order journey without events its order. Shape (n_journeys,)."""
    journeys = bucket.table("journeys")
    first: I32 = journeys.values("first_event").copy()
    empty = np.flatnonzero(first < 0)
    first[empty] = bucket.table("orders").values("event")[journeys.values("order")[empty]]
    return first


def chosen_journeys(plan: JourneysPlan, bucket: Bucket) -> I64:
    """Rows of the table `journeys` that are in, ascending.

    A journey is in if it opens in the period, is of the kind, and its first event is no robot's or heavy person's and
    meets the condition. (A first event that is another source's copy of an order opens a journey all the same.)
    """
    start = bucket.table("journeys").values("start")
    inside = (start >= plan.scope.start_us) & (start < plan.scope.end_us) & _may_be_first(plan, bucket)
    if plan.spec.kind:
        inside &= journeys_of_kind(bucket, plan.spec.kind)
    return np.flatnonzero(inside)


def _may_be_first(plan: JourneysPlan, bucket: Bucket) -> Bools:
    first = _first_events(bucket)
    selection = select_events(plan.scope, bucket)
    out = plan.scope.out_flags & (FLAG_BOT | FLAG_HEAVY)
    inside = (bucket.events.values("flags")[first] & np.uint16(out)) == 0
    if selection.mask is not None:
        inside &= selection.mask[first] != 0
    return np.asarray(inside)


def journey_groups(plan: JourneysPlan, bucket: Bucket, row: I64) -> I32:
    """Value of the break-down of each chosen journey, int32 of shape (n,)."""
    if plan.by is not None and plan.by.table == "journeys":
        codes: I32 = plan.by.lut(bucket)[bucket.table("journeys").values(plan.by.column)[row]]
        return codes
    return groups_of(plan.by, bucket, _first_events(bucket)[row], bucket.table("journeys").values("person")[row])
