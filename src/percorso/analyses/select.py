"""Which events a question considers, bucket by bucket.

Filters, from cheap to dear, so that an unfiltered question pays for none:

- flags (bots, heavy persons, future events, copies of orders): only those that occur in the bucket;
- the period and the as-of time: only where the bucket reaches beyond them;
- the condition, and the rule of persons: one byte an event.

A kernel that looks at few events (a funnel) tests flags and times itself, on those; one that looks at all
takes `Selection.dense`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.analyses.basis import Basis
from percorso.analyses.conditions import Condition, fields_of
from percorso.analyses.masks import event_mask
from percorso.analyses.person_masks import PersonsPlan, plan_persons
from percorso.analyses.spec import Scope
from percorso.kernels.arrays import Bools
from percorso.kernels.select import dense_mask
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_HEAVY, FLAG_SAME_ORDER, Bucket, JourneyLog

__all__ = ["NO_FLAGS", "NO_MASK", "ScopePlan", "Selection", "persons_mask", "plan_scope", "select_events"]

_MIN, _MAX = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_FLAGS = (FLAG_BOT, FLAG_HEAVY, FLAG_FUTURE, FLAG_SAME_ORDER)

#: What kernels receive for "no mask" and "no flags": arrays of no elements.
NO_MASK: npt.NDArray[np.uint8] = np.empty(0, dtype=np.uint8)
NO_FLAGS: npt.NDArray[np.uint16] = np.empty(0, dtype=np.uint16)


@dataclass(frozen=True, slots=True)
class ScopePlan:
    """A scope resolved for one log.

    Parameters
    ----------
    start_us, end_us : int
        Events with ``start_us <= time < end_us`` are in: the period, and nothing after the as-of time.
    as_of_us : int
    limits_time : bool
        False if no event that is in by its flags can lie outside.
    out_flags : int
        Events with any of these flags are out.
    condition : Condition or None
    persons : PersonsPlan or None
        Only events of those who meet it.
    """

    start_us: int
    end_us: int
    as_of_us: int
    limits_time: bool
    out_flags: int
    condition: Condition | None
    persons: PersonsPlan | None = None

    @property
    def is_of_persons(self) -> bool:
        """True if the question is about persons, so that what belongs to nobody is out."""
        if self.persons is not None:
            return True
        return self.condition is not None and any(name.startswith("person.") for name in fields_of(self.condition))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events of one bucket are in: by flags and time and mask, all of them.

    Parameters
    ----------
    bucket : Bucket
    out_flags : int
        0: no event is out by its flags.
    start_us, end_us : int
        The smallest and largest int64 where time sets no limit.
    mask : uint8 array, shape (n_events,), or None
        What the condition and the rule of persons say: 1 in, 0 out; None: all in.
    """

    bucket: Bucket
    out_flags: int
    start_us: int
    end_us: int
    mask: npt.NDArray[np.uint8] | None

    @property
    def limits_time(self) -> bool:
        return self.start_us != _MIN or self.end_us != _MAX

    @property
    def is_all(self) -> bool:
        """True if every event is in."""
        return not self.out_flags and not self.limits_time and self.mask is None

    def flags(self) -> npt.NDArray[np.uint16]:
        """The events' flags, or an empty array if none of them can put an event out."""
        return self.bucket.events.values("flags") if self.out_flags else NO_FLAGS

    def dense(self) -> npt.NDArray[np.uint8] | None:
        """All filters in one: uint8 of shape (n_events,), 1 in, 0 out; None if every event is in."""
        if self.is_all:
            return None
        if not self.out_flags and not self.limits_time:
            return self.mask
        return dense_mask(
            self.bucket.events.values("time"),
            self.bucket.events.values("flags"),
            NO_MASK if self.mask is None else self.mask,
            self.out_flags,
            self.start_us,
            self.end_us,
        )


def plan_scope(scope: Scope, log: JourneyLog, basis: Basis | None = None) -> ScopePlan:
    """Resolve times, flags and the rule of persons of a scope for one log.

    Parameters
    ----------
    scope : Scope
    log : JourneyLog
    basis : Basis, optional
        Needed by rules about value, relationship and stage.

    Raises
    ------
    SpecError
        The rule of persons needs a basis, or asks for what cannot be told yet.
    """
    start, end, as_of = scope.start_us(), scope.end_us(), scope.as_of_us()
    as_of = log.as_of_us if as_of is None else as_of
    # Only future events lie after the log's own as-of time, and they are out by their flag.
    limits = start is not None or end is not None or as_of < log.as_of_us
    out = FLAG_FUTURE | FLAG_SAME_ORDER
    out |= 0 if scope.include_bots else FLAG_BOT
    out |= 0 if scope.include_heavy else FLAG_HEAVY
    rule = scope.person_rule()
    return ScopePlan(
        start_us=_MIN if start is None else start,
        end_us=min(_MAX if end is None else end, as_of + 1),
        as_of_us=as_of,
        limits_time=limits,
        out_flags=out,
        condition=scope.condition(),
        persons=None if rule is None else plan_persons(rule, log, as_of_us=as_of, out_flags=out, basis=basis),
    )


def select_events(plan: ScopePlan, bucket: Bucket) -> Selection:
    """What of the plan binds in this bucket."""
    persons = _events_of_persons(plan, bucket)
    mask: Bools | bool = persons
    if plan.condition is not None and persons is not False:
        inside = event_mask(plan.condition, bucket)
        mask = inside if persons is True else persons & inside
    start, end = (plan.start_us, plan.end_us) if plan.limits_time else (_MIN, _MAX)
    return Selection(
        bucket=bucket,
        out_flags=sum(flag for flag in _FLAGS if plan.out_flags & flag and bucket.count(flag)),
        start_us=start,
        end_us=end,
        mask=_as_bytes(mask, bucket.n_events),
    )


def persons_mask(plan: ScopePlan, bucket: Bucket) -> Bools | None:
    """Who meets the rule of persons, for tables of persons, journeys and orders.

    Returns
    -------
    bool array of shape (n_persons,), not writable; None without a rule.
    """
    return None if plan.persons is None else plan.persons.persons(bucket)


def _events_of_persons(plan: ScopePlan, bucket: Bucket) -> Bools | bool:
    """Events of those who meet the rule of persons; what belongs to nobody is out."""
    persons = persons_mask(plan, bucket)
    if persons is None:
        return True
    if not persons.any():
        return False
    return True if persons.all() else np.repeat(persons, np.diff(bucket.offsets()))


def _as_bytes(mask: npt.NDArray[np.bool_] | bool, n_events: int) -> npt.NDArray[np.uint8] | None:
    if mask is True:
        return None
    if mask is False:
        return np.zeros(n_events, dtype=np.uint8)
    return np.ascontiguousarray(mask).view(np.uint8)
