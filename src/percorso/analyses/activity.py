"""What persons did themselves, by period: an active person is one with an inbound event.

Somebody who only receives mail is not active. What had happened before the period that is asked for is known here too:
who is new, or comes back, only the whole history can tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from percorso.analyses.calendar import Calendar
from percorso.analyses.conditions import Condition
from percorso.analyses.contacts import inbound_values
from percorso.analyses.masks import event_mask
from percorso.analyses.select import ScopePlan, select_events
from percorso.kernels.activity import active_periods
from percorso.kernels.arrays import I32, U8
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["Active", "active_in", "inbound_keep", "matching_keep", "whole_history"]

_NONE = np.empty(0, np.uint8)
_LEAST = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Active:
    """Periods in which the persons of one bucket did something, by person and period, each once.

    Parameters
    ----------
    person, period : int32 arrays, shape (n_active,)
        The period as position in a calendar.
    first, last : int32 arrays, shape (n_active,)
        Rows of the first and of the last event there.
    """

    person: I32
    period: I32
    first: I32
    last: I32

    def __len__(self) -> int:
        return len(self.person)


def whole_history(plan: ScopePlan, log: JourneyLog) -> ScopePlan:
    """The plan without its period: all that had happened by the as-of time."""
    return replace(plan, start_us=_LEAST, end_us=plan.as_of_us + 1, limits_time=plan.as_of_us < log.as_of_us)


def inbound_keep(plan: ScopePlan, bucket: Bucket) -> U8:
    """Which events are in and the customer's own doing, uint8 of shape (n_events,)."""
    mask = select_events(plan, bucket).dense()
    inbound = inbound_values(bucket)
    if inbound.all() and len(inbound):
        return np.ones(bucket.n_events, np.uint8) if mask is None else mask
    # `take`, as indexing looks at the bounds of every code.
    keep: U8 = inbound.view(np.uint8).take(bucket.events.values("direction"), mode="clip") if len(inbound) else _NONE
    return keep if mask is None else keep & mask


def matching_keep(plan: ScopePlan, bucket: Bucket, condition: Condition) -> U8:
    """Which events are in and meet a condition, uint8 of shape (n_events,)."""
    met = event_mask(condition, bucket)
    met = np.full(bucket.n_events, met, np.bool_) if isinstance(met, bool) else np.ascontiguousarray(met)
    mask = select_events(plan, bucket).dense()
    return met.view(np.uint8) if mask is None else met.view(np.uint8) & mask


def active_in(bucket: Bucket, keep: U8, calendar: Calendar) -> Active:
    """In which periods each person has an event that is kept."""
    room = int(np.count_nonzero(keep))
    person, period, first, last = (np.empty(room, np.int32) for _ in range(4))
    n = active_periods(
        bucket.offsets(), bucket.events.values("time"), keep, calendar.starts, person, period, first, last
    )
    return Active(person[:n], period[:n], first[:n], last[:n])
