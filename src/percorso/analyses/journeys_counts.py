"""Journeys of one bucket, counted: integers that add up over buckets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.journeys_plan import JourneysPlan, chosen_journeys, journey_groups
from percorso.analyses.outcomes import (
    ABANDONED,
    ALL_OUTCOMES,
    CONVERTED,
    NOT_PURCHASE,
    OPEN,
    journey_outcomes,
    old_journeys,
)
from percorso.analyses.select import NO_MASK, select_events
from percorso.analyses.survival import CENSORED, HAPPENED, N_KINDS, OTHERWISE
from percorso.analyses.tallies import Tally, merge_tallies, tally, tally_pairs
from percorso.analyses.units import units_of
from percorso.analyses.worth import Missing, worth_of
from percorso.events.zones import days_of, segments_around
from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.journey_measures import N_MEASURES, measure_journeys
from percorso.store.journey_log import Bucket

__all__ = [
    "CURVE_HOURS",
    "FLAGS",
    "LENGTHS",
    "N_OUTCOMES",
    "WIDTH",
    "JourneyCounts",
    "convert_times",
    "count_journeys",
    "merge_journey_counts",
    "outcome_groups",
    "span_bin",
]

N_OUTCOMES = len(ALL_OUTCOMES)

#: Measures of length, as the kernel counts them; the last three are of converted journeys, up to the goal.
LENGTHS = (
    *("events", "contacts", "sessions", "active_days"),
    *("contacts_to_convert", "sessions_to_convert", "active_days_to_convert"),
)
assert len(LENGTHS) == N_MEASURES

#: What order journeys are marked with.
FLAGS = ("late", "contacted", "advocated")

#: More than any count of a journey, for keys ``cell * WIDTH + count``.
WIDTH = 1 << 31

#: Hours since the first event after which conversion is told.
CURVE_HOURS = (1, 24, 3 * 24, 7 * 24, 14 * 24, 30 * 24, 60 * 24, 90 * 24)

_KIND_OF = np.zeros(NOT_PURCHASE, np.int64)
_KIND_OF[[OPEN, CONVERTED, ABANDONED]] = CENSORED, HAPPENED, OTHERWISE

_MINUTE_US, _HOUR_US, _DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
_FINE_MINUTES, _FINE_HOURS = 1_440, 90 * 24


@dataclass(frozen=True, slots=True)
class JourneyCounts:
    """Counts of some buckets. A cell is ``group * N_OUTCOMES + outcome``.

    Parameters
    ----------
    journeys : Tally
        By cell.
    lengths : tuple of Tally
        For each of LENGTHS, by ``cell * WIDTH + count``.
    spans : Tally
        Time from opening to end of purchase journeys, by ``(group * MOST_BINS + span_bin) * N_KINDS + kind``.
    ages : Tally
        Purchase journeys by ``group * (len(CURVE_HOURS) + 1) + k``: k of CURVE_HOURS have passed since they opened.
    old : Tally
        Purchase journeys that opened their time-out ago or earlier, by group.
    reversed, known : Tally
        Of converted journeys, by group: those whose order did not stay, those whose value is known.
    value : Tally
        By group, minor units of the workspace's currency.
    flags : Tally
        Of order journeys, by ``(group * 3 + flag) * 2``; and one more for those of which the flag is known.
    missing : tuple of Missing
    """

    journeys: Tally
    lengths: tuple[Tally, ...]
    spans: Tally
    ages: Tally
    old: Tally
    reversed: Tally
    known: Tally
    value: Tally
    flags: Tally
    missing: tuple[Missing, ...]


#: More than any bin of a time.
MOST_BINS = 1 << 24


def merge_journey_counts(parts: Iterable[JourneyCounts]) -> JourneyCounts:
    """Partials of many buckets as one."""
    every = list(parts)
    return JourneyCounts(
        journeys=merge_tallies(part.journeys for part in every),
        lengths=tuple(merge_tallies(part.lengths[at] for part in every) for at in range(N_MEASURES)),
        spans=merge_tallies(part.spans for part in every),
        ages=merge_tallies(part.ages for part in every),
        old=merge_tallies(part.old for part in every),
        reversed=merge_tallies(part.reversed for part in every),
        known=merge_tallies(part.known for part in every),
        value=merge_tallies(part.value for part in every),
        flags=merge_tallies(part.flags for part in every),
        missing=tuple(one for part in every for one in part.missing),
    )


def span_bin(span_us: I64) -> I64:
    """Ascending number of a time: minutes in the first day, hours in the first ninety, then days. Shape (n,).

    Examples
    --------
    >>> span_bin(np.array([59, 60, 86_400, 90 * 86_400]) * 1_000_000).tolist()
    [0, 1, 1440, 3576]
    """
    hours = _FINE_MINUTES + span_us // _HOUR_US - 24
    days = _FINE_MINUTES + _FINE_HOURS - 24 + span_us // _DAY_US - 90
    late = np.where(span_us < 90 * _DAY_US, hours, days)
    return np.where(span_us < _DAY_US, span_us // _MINUTE_US, late)


def outcome_groups(plan: JourneysPlan, bucket: Bucket) -> tuple[I64, U8, I32]:
    """The chosen journeys of a bucket: rows, outcomes and groups, each of shape (n,)."""
    row = chosen_journeys(plan, bucket)
    return row, journey_outcomes(bucket, plan.scope.as_of_us)[row], journey_groups(plan, bucket, row)


def convert_times(plan: JourneysPlan, bucket: Bucket) -> tuple[I32, I64]:
    """Group (-1: not converted) and time from first event to goal, µs, of each chosen journey."""
    row = chosen_journeys(plan, bucket)
    journeys = bucket.table("journeys")
    goal = journeys.values("goal_time")[row]
    converted = (goal != -1) & (goal <= plan.scope.as_of_us)
    time = np.where(converted, goal - journeys.values("start")[row], 0)
    return np.where(converted, journey_groups(plan, bucket, row), -1).astype(np.int32), time


def count_journeys(plan: JourneysPlan, bucket: Bucket, basis: Basis) -> JourneyCounts:
    """Everything of one bucket but exact times."""
    row, outcome, group = outcome_groups(plan, bucket)
    cell = group.astype(np.int64) * N_OUTCOMES + outcome
    converted = outcome == CONVERTED
    measures = _measures(plan, bucket)[row]
    bought = outcome < NOT_PURCHASE
    in_all = [tally_pairs(cell, measures[:, at], WIDTH) for at in range(4)]
    to_goal = [tally_pairs(cell[converted], measures[converted, at], WIDTH) for at in range(4, N_MEASURES)]
    journeys = bucket.table("journeys")
    won, of_won = row[converted], group[converted].astype(np.int64)
    goal_time = journeys.values("goal_time")[won]
    worth = worth_of(
        journeys.values("value")[won],
        journeys.dictionary("currency"),
        journeys.values("currency")[won],
        goal_time,
        basis,
    )
    taken_back = journeys.values("reversed")[won]
    taken_back = (taken_back != -1) & (taken_back <= plan.scope.as_of_us)
    return JourneyCounts(
        journeys=tally(cell),
        lengths=(*in_all, *to_goal),
        spans=_spans(plan, bucket, row, outcome, group),
        ages=_ages(plan, bucket, row[bought], group[bought]),
        old=tally(group[bought & old_journeys(bucket, plan.scope.as_of_us)[row]].astype(np.int64)),
        reversed=tally(of_won[taken_back]),
        known=tally(of_won[worth.known]),
        value=tally(of_won, worth.minor),
        flags=_flags(plan, bucket, row, outcome, group),
        missing=worth.missing,
    )


def _measures(plan: JourneysPlan, bucket: Bucket) -> I32:
    """What the kernel counts of every journey of the bucket, int32 of shape (n_journeys, N_MEASURES)."""
    units = units_of(bucket, "journey")
    out = np.zeros((len(units), N_MEASURES), np.int32)
    if not bucket.n_events:
        return out
    events = bucket.events
    time, contact, session = (events.values(name) for name in ("time", "contact", "session"))
    mask = select_events(plan.counted, bucket).dense()
    measure_journeys(
        units.offsets,
        units.rows,
        time,
        NO_MASK if mask is None else mask,
        contact,
        session,
        bucket.table("journeys").values("goal_event"),
        plan.scope.as_of_us,
        *segments_around(time, plan.spec.scope.timezone),
        int(contact.max(initial=-1)) + 1,
        int(session.max(initial=-1)) + 1,
        out,
    )
    return out


def _spans(plan: JourneysPlan, bucket: Bucket, row: I64, outcome: U8, group: I32) -> Tally:
    """How long purchase journeys ran until the goal, until they were abandoned, or until now."""
    bought = np.flatnonzero(outcome < NOT_PURCHASE)
    row, outcome = row[bought], outcome[bought]
    journeys = bucket.table("journeys")
    ends = journeys.values("intent")[row] + journeys.values("timeout")[row]
    end = np.where(outcome == ABANDONED, ends, plan.scope.as_of_us)
    end = np.where(outcome == CONVERTED, journeys.values("goal_time")[row], end)
    span = span_bin(end - journeys.values("start")[row])
    return tally((group[bought].astype(np.int64) * MOST_BINS + span) * N_KINDS + _KIND_OF[outcome])


def _ages(plan: JourneysPlan, bucket: Bucket, row: I64, group: I32) -> Tally:
    """How many of CURVE_HOURS ago journeys opened, or earlier."""
    age = plan.scope.as_of_us - bucket.table("journeys").values("start")[row]
    passed = np.searchsorted(np.array(CURVE_HOURS, np.int64) * _HOUR_US, age, side="right")
    return tally_pairs(group.astype(np.int64), passed.astype(np.int32), len(CURVE_HOURS) + 1)


def _flags(plan: JourneysPlan, bucket: Bucket, row: I64, outcome: U8, group: I32) -> Tally:
    """Of order journeys: delivered after the promised day, with a contact about it, with praise."""
    of_order = bucket.table("journeys").values("order")[row]
    chosen = (outcome >= NOT_PURCHASE) & (of_order >= 0)
    at, of_group = of_order[chosen], group[chosen].astype(np.int64)
    keys = []
    for flag, (known, marked) in enumerate(_flag_masks(plan, bucket, at)):
        key = (of_group * len(FLAGS) + flag) * 2
        keys += [key[known] + 1, key[known & marked]]
    return tally(np.concatenate(keys))


def _flag_masks(plan: JourneysPlan, bucket: Bucket, order: I32) -> list[tuple[Bools, Bools]]:
    """For each of FLAGS: of which orders it is known, and which have it."""
    orders, as_of = bucket.table("orders"), plan.scope.as_of_us
    delivered, promised, contacted = (orders.values(name)[order] for name in ("delivered", "promised", "contacted"))
    known = (promised != -1) & (delivered != -1) & (delivered <= as_of)
    late = np.zeros(len(order), np.bool_)
    zone = plan.spec.scope.timezone
    late[known] = days_of(delivered[known], zone) > days_of(promised[known], zone)
    every = np.ones(len(order), np.bool_)
    asked = (contacted != -1) & (contacted <= as_of)
    return [(known, late), (every, asked), (every, orders.values("advocated")[order] != 0)]
